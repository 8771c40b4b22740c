namespace Inference.Models;

/// <summary>Which safetensors files of a folder hold the weights.</summary>
/// <param name="Folder">The folder.</param>
/// <param name="Names">File names in it, each once.</param>
/// <param name="Index">Path of the index, or null for one file without.</param>
/// <param name="FileOf">What the index says: tensor to file name; empty without an index.</param>
internal sealed record WeightFiles(string Folder, IReadOnlyList<string> Names, string? Index, IReadOnlyDictionary<string, string> FileOf)
{
    public const string Suffix = ".safetensors", IndexSuffix = ".safetensors.index.json", SingleName = "model.safetensors", IndexName = "model.safetensors.index.json";

    private const int MaxListed = 8;

    /// <summary>Whether the path is a folder, or names weights inside one.</summary>
    public static bool IsFolderPath(string path) => Directory.Exists(path) || HasSuffix(path, Suffix) || HasSuffix(path, IndexSuffix);

    /// <summary>The folder that a path names, itself or by a file inside.</summary>
    public static string FolderOf(string path) => Directory.Exists(path) ? path : Path.GetDirectoryName(path) is { Length: > 0 } folder ? folder : ".";

    /// <summary>Finds the files by a folder, an index in it, or a safetensors file in it; of a file that an index lists, all that it lists.</summary>
    /// <exception cref="ModelFormatException">There are none, the index is damaged, or files that it lists are missing.</exception>
    /// <exception cref="IOException">The index cannot be read.</exception>
    public static WeightFiles Find(string path)
    {
        string folder = FolderOf(path);
        if (HasSuffix(path, IndexSuffix)) return ReadIndex(folder, path);
        string index = Path.Combine(folder, IndexName);
        if (!Directory.Exists(path))
        {
            if (File.Exists(index) && ReadIndex(folder, index) is { } listed && listed.Names.Contains(Path.GetFileName(path))) return listed;
            return Single(folder, Path.GetFileName(path));
        }
        // As in transformers: the single file wins.
        if (File.Exists(Path.Combine(folder, SingleName))) return Single(folder, SingleName);
        if (File.Exists(index)) return ReadIndex(folder, index);
        throw new ModelFormatException(folder, "weights", $"{SingleName} or {IndexName}", Others(folder));
    }

    private static WeightFiles Single(string folder, string name) => new(folder, [name], null, new Dictionary<string, string>());

    private static WeightFiles ReadIndex(string folder, string path)
    {
        var fileOf = new Dictionary<string, string>(StringComparer.Ordinal);
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach ((string tensor, JsonPart part) in JsonFile.Read(path)["weight_map"].Members())
        {
            string name = part.Text();
            // A name with a folder in it could make the loader read any file of the system.
            if (!HasSuffix(name, Suffix) || name.AsSpan().ContainsAny("/\\:\0")) throw part.Error($"the name of a {Suffix} file in the same folder");
            if (!fileOf.TryAdd(tensor, name)) throw part.Error("a name that stands once");
            names.Add(name);
        }
        if (names.Count == 0) throw new ModelFormatException(path, "weight_map", "at least one tensor", "none");
        string[] missing = [.. names.Where(name => !File.Exists(Path.Combine(folder, name)))];
        if (missing.Length > 0) throw new ModelFormatException(path, "weight_map", $"its {names.Count} files in the folder", $"{missing.Length} missing: {Listed(missing)}");
        return new(folder, [.. names], path, fileOf);
    }

    /// <summary>What a folder without weights holds that a user may have meant.</summary>
    private static string Others(string folder)
    {
        string[] files = [.. Directory.EnumerateFiles(folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];
        string[] gguf = [.. files.Where(name => HasSuffix(name, ".gguf"))];
        if (gguf.Length > 0) return $"GGUF files, of which one can be named: {Listed(gguf)}";
        if (files.Contains("adapter_model.safetensors")) return "adapter_model.safetensors: a LoRA adapter, which accompanies a model";
        if (files.FirstOrDefault(name => HasSuffix(name, ".bin") || HasSuffix(name, ".pt") || HasSuffix(name, ".pth")) is { } pickle) return $"{pickle}: PyTorch's pickled files are not read";
        string[] others = [.. files.Where(name => HasSuffix(name, Suffix))];
        return others.Length > 0 ? Listed(others) : "neither";
    }

    private static string Listed(string[] names) => string.Join(", ", names.Take(MaxListed)) + (names.Length > MaxListed ? $" and {names.Length - MaxListed} more" : "");

    private static bool HasSuffix(string name, string suffix) => name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase);
}
