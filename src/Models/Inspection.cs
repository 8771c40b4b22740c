namespace Inference.Models;

/// <summary>What <c>inspect</c> shows of a file, also of one whose architecture or tensor types this build does not run. Holds no reference to the file.</summary>
internal sealed record Inspection
{
    /// <summary>A tensor type, how many tensors have it, and their bytes in the file.</summary>
    internal sealed record TypeUse(string Type, int Tensors, long Bytes);

    /// <summary>One tensor: shape outermost first, bytes 0 when the type is unknown.</summary>
    internal sealed record TensorEntry(string Name, string Type, string Shape, long Elements, long Bytes);

    public required string Path { get; init; }

    /// <summary>The file's format, for example <c>GGUF v3</c>.</summary>
    public required string Format { get; init; }

    /// <summary>Bytes of the files that hold tensors.</summary>
    public required long FileBytes { get; init; }

    /// <summary><c>general.architecture</c>, or null.</summary>
    public required string? Architecture { get; init; }

    /// <summary><c>general.name</c>, or null.</summary>
    public required string? Name { get; init; }

    /// <summary>Why this build does not load the file; null when it does.</summary>
    public required string? Refusal { get; init; }

    /// <summary>Elements of all tensors.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>Tensor types, the most bytes first.</summary>
    public required IReadOnlyList<TypeUse> Types { get; init; }

    /// <summary>Key and value in the file's order; arrays as count and first elements.</summary>
    public required IReadOnlyList<KeyValuePair<string, string>> Metadata { get; init; }

    /// <summary>Tensors in the file's order.</summary>
    public required IReadOnlyList<TensorEntry> Tensors { get; init; }

    /// <exception cref="ModelFormatException">The file is damaged or no GGUF file.</exception>
    /// <exception cref="IOException">The file is absent or cannot be read.</exception>
    public static Inspection Of(string path)
    {
        using ModelFile file = ModelFile.Open(path);
        return new()
        {
            Path = path,
            Format = file.Format,
            FileBytes = file.Length,
            Architecture = Text(file, "general.architecture"),
            Name = Text(file, "general.name"),
            Refusal = WhyRefused(file),
            ParameterCount = file.Tensors.Sum(t => t.Elements),
            Types = [.. file.Tensors.GroupBy(t => t.TypeName).Select(g => new TypeUse(g.Key, g.Count(), g.Sum(t => t.Bytes))).OrderByDescending(t => t.Bytes)],
            Metadata = [.. file.Describe()],
            Tensors = [.. file.Tensors.Select(t => new TensorEntry(t.Name, t.TypeName, t.Shape, t.Elements, t.Bytes))],
        };
    }

    private static string? Text(ModelFile file, string key) => file.TryGetString(key, out string? text) ? text : null;

    private static string? WhyRefused(ModelFile file)
    {
        try
        {
            ModelPlan.Read(file);
            return null;
        }
        catch (ModelFormatException error)
        {
            return error.Message;
        }
    }
}
