namespace Inference;

/// <summary>Where a model comes from: a file, a folder, or the sample model that ships in the package <c>Inference.SampleModel</c>.</summary>
public sealed class ModelSource
{
    /// <summary>File name of the sample model; the package puts it beside the program.</summary>
    internal const string SampleFileName = "kjv-5m-f16.gguf";

    private ModelSource(string? path) => FilePath = path;

    /// <summary>
    /// The sample model kjv-5m: 5.8 M parameters, trained on a public-domain text, for trying things out. It needs a reference to the
    /// package <c>Inference.SampleModel</c>; without it, loading throws <see cref="FileNotFoundException"/> and says so.
    /// </summary>
    public static ModelSource Sample { get; } = new(null);

    /// <summary>The path given, or null for <see cref="Sample"/>.</summary>
    public string? FilePath { get; }

    /// <summary>A GGUF file (of a model split over several, any of them), or a safetensors file or its index inside a Hugging Face folder.</summary>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty.</exception>
    public static ModelSource FromFile(string path) => FromPath(path);

    /// <summary>
    /// A folder as Hugging Face's libraries write it: <c>config.json</c>, <c>model.safetensors</c> or its index and parts, <c>tokenizer.json</c> or
    /// <c>tokenizer.model</c>, and where the model has them <c>generation_config.json</c>, <c>tokenizer_config.json</c> and a chat template.
    /// </summary>
    /// <exception cref="ArgumentException"><paramref name="path"/> is empty.</exception>
    public static ModelSource FromFolder(string path) => FromPath(path);

    /// <summary>Either of them.</summary>
    internal static ModelSource FromPath(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return new ModelSource(path);
    }

    /// <summary>The file or folder to open.</summary>
    /// <exception cref="FileNotFoundException">It is not there.</exception>
    internal string Resolve()
    {
        if (FilePath is not null)
            return File.Exists(FilePath) || Directory.Exists(FilePath) ? FilePath : throw new FileNotFoundException($"{FilePath}: no such file or folder", FilePath);
        string path = Path.Combine(AppContext.BaseDirectory, SampleFileName);
        return File.Exists(path) ? path
            : throw new FileNotFoundException($"the sample model is not beside the program ({path}): add the package Inference.SampleModel", path);
    }
}
