using System.Diagnostics.CodeAnalysis;
using Inference.Kernels;
using Inference.Models.Templates;

namespace Inference.Models;

/// <summary>
/// A model as it lies on disk, in one canonical form for every format: numbers by GGUF's keys, tensors by GGUF's names and in GGUF's order of rows, a tokenizer
/// and a chat template. What comes after it does not know the format. Opening reads and checks headers only; tensors are read from mapped files, so they need it
/// open. Safe for concurrent reading.
/// </summary>
internal abstract class ModelFile : IDisposable
{
    /// <summary>More than any model has (the largest mixtures of experts come near); a file that claims more would only exhaust memory.</summary>
    public const int MaxTensors = 200_000;

    private readonly Dictionary<string, StoredTensor> byName = new(StringComparer.Ordinal);
    private readonly List<StoredTensor> tensors = [];

    /// <summary>The file or folder it was opened by.</summary>
    public abstract string Path { get; }

    /// <summary>Format in words, for example <c>GGUF v3</c>.</summary>
    public abstract string Format { get; }

    /// <summary>Bytes of all its files that hold tensors.</summary>
    public abstract long Length { get; }

    /// <summary>The model's name where the file has none: that of the file or folder.</summary>
    public virtual string FallbackName => System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <summary>Names of the tensor types that this build reads from such a file, for messages.</summary>
    public virtual IEnumerable<string> ReadableTypes => TensorFormat.All.Select(format => format.Name);

    /// <summary>Tensors in the file's order.</summary>
    public IReadOnlyList<StoredTensor> Tensors => tensors;

    /// <summary>Opens a GGUF file, any part of a split one, a Hugging Face folder, or a safetensors file or index inside one.</summary>
    /// <exception cref="ModelFormatException">It is damaged, or no model in a format that this build reads.</exception>
    /// <exception cref="IOException">It is absent or cannot be read.</exception>
    public static ModelFile Open(string path) => WeightFiles.IsFolderPath(path) ? HuggingFaceFolder.Open(path) : SplitGguf.OpenWhole(path);

    /// <summary>The tensor of that canonical name, or null.</summary>
    public StoredTensor? FindTensor(string name) => byName.GetValueOrDefault(name);

    /// <summary>The tensor as a matrix of rows in canonical order, valid while the file is open.</summary>
    /// <exception cref="ModelFormatException">This build does not read the tensor's type, or a side exceeds 2^31 - 1.</exception>
    public abstract TensorSource Source(StoredTensor tensor);

    /// <summary>Tells the system that the tensor's bytes are not needed again, so that a model being packed does not stand in memory twice. Reading them stays possible.</summary>
    public abstract void Forget(StoredTensor tensor);

    /// <summary>A string. False when the key is absent; a value of another type is an error that names file, key, expected and found, never "absent".</summary>
    public abstract bool TryGetString(string key, [NotNullWhen(true)] out string? value);

    /// <summary>Any integer type; otherwise as <see cref="TryGetString"/>.</summary>
    public abstract bool TryGetInteger(string key, out long value);

    /// <summary>Any integer or floating-point type; otherwise as <see cref="TryGetString"/>.</summary>
    public abstract bool TryGetNumber(string key, out double value);

    /// <summary>A bool; otherwise as <see cref="TryGetString"/>.</summary>
    public abstract bool TryGetBool(string key, out bool value);

    /// <summary>What is wrong with the value of a canonical key, in the words of the file's own format.</summary>
    public abstract ModelFormatException Error(string key, string expected, string found);

    /// <summary>What the file itself would call a tensor of that canonical name.</summary>
    public virtual string OwnName(string name) => name;

    /// <summary>Keys and values as text in the file's order; arrays as count and first elements.</summary>
    public abstract IEnumerable<KeyValuePair<string, string>> Describe();

    /// <summary>Tokens of the vocabulary as the header counts them; null when it does not.</summary>
    /// <exception cref="ModelFormatException">The count has another type.</exception>
    public abstract long? TokenCount { get; }

    /// <summary>Refuses by name what is damaged as a whole or no language model: a projector, an adapter, a vocabulary without weights.</summary>
    /// <exception cref="ModelFormatException">It is such a file.</exception>
    public abstract void RequireModel();

    /// <summary>Reads the tokenizer.</summary>
    /// <exception cref="ModelFormatException">It is absent, damaged, or of a kind that is not supported.</exception>
    public abstract Tokenizer ReadTokenizer();

    /// <summary>Reads the tokenizer in the form that GGUF files have, for writing one: a token for every row of the embedding.</summary>
    /// <exception cref="ModelFormatException">It is absent, damaged, or none that a GGUF file can hold.</exception>
    public abstract VocabularyData ReadVocabulary();

    /// <summary>Reads the chat template; null where there is none.</summary>
    /// <exception cref="ModelFormatException">A file or key with it is damaged.</exception>
    public abstract ChatTemplate? ReadChatTemplate();

    public string RequireString(string key) => TryGetString(key, out string? value) ? value : throw Error(key, "string", "no such key");

    public long RequireInteger(string key) => TryGetInteger(key, out long value) ? value : throw Error(key, "integer", "no such key");

    public double RequireNumber(string key) => TryGetNumber(key, out double value) ? value : throw Error(key, "number", "no such key");

    public bool RequireBool(string key) => TryGetBool(key, out bool value) ? value : throw Error(key, "bool", "no such key");

    public abstract void Dispose();

    /// <summary>Adds a tensor to the directory; false when there is one of that name.</summary>
    protected bool TryAdd(StoredTensor tensor)
    {
        if (!byName.TryAdd(tensor.Name, tensor)) return false;
        tensors.Add(tensor);
        return true;
    }

    /// <summary>Puts a tensor in the place of the one of that index and name.</summary>
    protected void Replace(int index, StoredTensor tensor) => tensors[index] = byName[tensor.Name] = tensor;

    /// <summary>A tensor that stands at <paramref name="data"/>, once its type and sides are found to be within bounds.</summary>
    protected TensorSource SourceAt(StoredTensor tensor, nint data)
    {
        string what = $"tensor {OwnName(tensor.Name)}";
        TensorFormat format = TensorFormat.Find(tensor.Type)
            ?? throw new ModelFormatException(Path, what, "a type of " + string.Join(", ", ReadableTypes), tensor.TypeName);
        if (Math.Max(tensor.Rows, tensor.Columns) > int.MaxValue) throw new ModelFormatException(Path, what, "fewer than 2^31 rows and columns", tensor.Shape);
        return new(tensor.Name, format, (int)tensor.Rows, (int)tensor.Columns, data);
    }
}
