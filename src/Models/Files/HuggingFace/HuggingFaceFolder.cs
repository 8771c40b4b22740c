using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using Inference.Kernels;
using Inference.Models.Templates;

namespace Inference.Models;

/// <summary>A folder as Hugging Face's libraries write it: config.json, safetensors files, a tokenizer, perhaps generation_config.json and a chat template.</summary>
internal sealed unsafe class HuggingFaceFolder : ModelFile
{
    /// <summary>Part number of tensors that stand in no file.</summary>
    private const int Computed = -1;

    private readonly string folder;
    private readonly ModelConfiguration configuration;
    private readonly List<SafetensorsFile> files = [];
    private readonly ConcurrentDictionary<string, float[]> vectors = new(StringComparer.Ordinal);

    private HuggingFaceFolder(string path)
    {
        Path = path;
        folder = WeightFiles.FolderOf(path);
        if (!File.Exists(System.IO.Path.Combine(folder, ModelConfiguration.FileName))) throw new ModelFormatException(folder, ModelConfiguration.FileName, "the file, as every Hugging Face folder has it", WithoutConfiguration(folder));
        configuration = ModelConfiguration.Read(folder);
        WeightFiles weights = WeightFiles.Find(path);
        try
        {
            foreach (string name in weights.Names) AddFile(SafetensorsFile.Open(System.IO.Path.Combine(folder, name)), weights);
            CheckIndex(weights);
        }
        catch
        {
            Dispose();
            throw;
        }
        if (configuration.LlamaFactors is { } factors)
        {
            vectors[TensorNames.RopeFactors] = Pinned(factors);
            TryAdd(new StoredTensor(TensorNames.RopeFactors, (uint)TensorType.F32, [factors.Length], 0, 4L * factors.Length) { Part = Computed });
        }
    }

    public override string Path { get; }

    public override string Format => "safetensors";

    public override IEnumerable<string> ReadableTypes => [nameof(TensorType.F32), nameof(TensorType.F16), nameof(TensorType.BF16)];

    public override long Length => files.Sum(file => file.Length);

    public override string FallbackName
    {
        get
        {
            string full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(folder)), name = System.IO.Path.GetFileName(full);
            // Hugging Face's cache: models--organisation--name/snapshots/commit.
            string[] parts = full.Split(System.IO.Path.DirectorySeparatorChar);
            return parts is [.., var repository, "snapshots", _] && repository.StartsWith("models--", StringComparison.Ordinal) ? repository["models--".Length..].Replace("--", "/", StringComparison.Ordinal) : name;
        }
    }

    public override long? TokenCount => TryGetInteger(Prefixed("vocab_size"), out long count) ? count : null;

    /// <summary>The values of config.json by canonical key: string, long, float or bool.</summary>
    public IReadOnlyDictionary<string, object> Values => configuration.Values;

    /// <exception cref="ModelFormatException">A file is absent or damaged, or the model needs what this build lacks.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static new HuggingFaceFolder Open(string path)
    {
        if (!Directory.Exists(path) && !File.Exists(path)) throw new FileNotFoundException($"{path}: no such file or folder", path);
        return new HuggingFaceFolder(path);
    }

    public override TensorSource Source(StoredTensor tensor)
    {
        if (tensor.Part == Computed) return SourceAt(tensor, Address(vectors[tensor.Name]));
        SafetensorsFile file = files[tensor.Part];
        ObjectDisposedException.ThrowIf(file.Data == null, this);
        TensorSource source = SourceAt(tensor, (nint)(file.Data + tensor.Offset));
        if (HeadRows(tensor) is not { } head) return source;
        int rows = tensor.Dims.Length == 1 ? source.Columns : source.Rows;
        if (head % 2 != 0 || rows % head != 0) throw new ModelFormatException(file.Path, $"tensor {OwnName(tensor.Name)}", $"heads of {head} rows, an even number", $"{rows} rows");
        if (tensor.Dims.Length > 1) return source with { HalvedHead = head };
        // A vector has no rows to reorder by; as float32 it is a few kilobytes.
        float[] values = vectors.GetOrAdd(tensor.Name, _ => Reordered(source, head));
        return new TensorSource(tensor.Name, TensorFormat.Of(TensorType.F32), 1, values.Length, Address(values));
    }

    public override void Forget(StoredTensor tensor)
    {
        if (tensor.Part != Computed) files[tensor.Part].Forget(tensor);
    }

    public override bool TryGetString(string key, [NotNullWhen(true)] out string? value)
    {
        value = null;
        if (!configuration.Values.TryGetValue(key, out object? found)) return false;
        value = found as string ?? throw Mismatch(key, "string", found);
        return true;
    }

    public override bool TryGetInteger(string key, out long value)
    {
        value = 0;
        if (!configuration.Values.TryGetValue(key, out object? found)) return false;
        value = found is long integer ? integer : throw Mismatch(key, "integer", found);
        return true;
    }

    public override bool TryGetNumber(string key, out double value)
    {
        value = 0;
        if (!configuration.Values.TryGetValue(key, out object? found)) return false;
        value = found is long integer ? integer : found is float number ? number : throw Mismatch(key, "number", found);
        return true;
    }

    public override bool TryGetBool(string key, out bool value)
    {
        value = false;
        if (!configuration.Values.TryGetValue(key, out object? found)) return false;
        value = found is bool flag ? flag : throw Mismatch(key, "bool", found);
        return true;
    }

    public override ModelFormatException Error(string key, string expected, string found) => configuration.Error(key, expected, found);

    public override string OwnName(string name) => TensorNameMap.ToOwn(name) ?? name;

    public override IEnumerable<KeyValuePair<string, string>> Describe() => configuration.Describe();

    public override void RequireModel()
    {
        if (!FolderTokenizer.Exists(folder)) throw FolderTokenizer.Missing(folder);
        // A head that the file says it has, and has not, would be taken for a tied one.
        if (configuration.TiedHead == false && FindTensor(TensorNames.Output) is null)
            throw new ModelFormatException(Path, "tensors", $"{OwnName(TensorNames.Output)}, since tie_word_embeddings is false", "none of that name");
    }

    public override Tokenizer ReadTokenizer() => new(FolderTokenizer.Read(folder, EmbeddingRows));

    public override VocabularyData ReadVocabulary() =>
        FolderVocabulary.Read(folder, EmbeddingRows ?? throw new ModelFormatException(Path, "tensors", OwnName(TensorNames.TokenEmbedding), "none of that name"));

    public override ChatTemplate? ReadChatTemplate() => ChatTemplateFiles.FromFolder(folder);

    public override void Dispose()
    {
        foreach (SafetensorsFile file in files) file.Dispose();
    }

    private int? EmbeddingRows => FindTensor(TensorNames.TokenEmbedding) is { Rows: <= int.MaxValue } table ? (int)table.Rows : null;

    private string Prefixed(string key) => $"{RequireString("general.architecture")}.{key}";

    private void AddFile(SafetensorsFile file, WeightFiles weights)
    {
        files.Add(file);
        string fileName = System.IO.Path.GetFileName(file.Path);
        foreach (StoredTensor tensor in file.Tensors)
        {
            if (weights.Index is not null && weights.FileOf.GetValueOrDefault(tensor.Name) is var named && named != fileName)
                throw new ModelFormatException(file.Path, $"tensor {tensor.Name}", $"what {System.IO.Path.GetFileName(weights.Index)} says: {named ?? "no such tensor"}", "the tensor in this file");
            if (TensorNameMap.IsComputed(tensor.Name)) continue;
            string? name = TensorNameMap.ToCanonical(tensor.Name);
            // Two names of one thing: what decides must not be the order in the file.
            if (name is null && TensorNameMap.ToOwn(tensor.Name) is { } right) throw new ModelFormatException(file.Path, $"tensor {tensor.Name}", $"Hugging Face's name, {right}", "GGUF's");
            if (name == TensorNames.Output && configuration.TiedHead == true) continue;
            if (!TryAdd(tensor with { Name = name ?? tensor.Name, Part = files.Count - 1 })) throw new ModelFormatException(file.Path, $"tensor {tensor.Name}", "a name that stands once", "a second one");
            if (Tensors.Count > MaxTensors) throw new ModelFormatException(Path, "tensors", $"at most {MaxTensors}", "more");
        }
    }

    /// <summary>Every tensor of the index is there: the other direction was checked file by file.</summary>
    private void CheckIndex(WeightFiles weights)
    {
        if (weights.Index is null) return;
        var found = new HashSet<string>(files.SelectMany(file => file.Tensors).Select(tensor => tensor.Name), StringComparer.Ordinal);
        string[] missing = [.. weights.FileOf.Keys.Where(name => !found.Contains(name))];
        if (missing.Length > 0) throw new ModelFormatException(weights.Index, "weight_map", "tensors that stand in the files it names", $"{missing.Length} missing: {string.Join(", ", missing.Take(8))}{(missing.Length > 8 ? ", …" : "")}");
    }

    /// <summary>Rows of a head where the tensor's heads are halved; null for others.</summary>
    private int? HeadRows(StoredTensor tensor)
    {
        if (!configuration.HalvedHeads || configuration.HeadDim is not { } head) return null;
        int name = tensor.Name.IndexOf("attn_", StringComparison.Ordinal);
        return name >= 0 && tensor.Name[name..] is TensorNames.Query or TensorNames.Key or TensorNames.QueryBias or TensorNames.KeyBias ? head : null;
    }

    private static float[] Reordered(in TensorSource vector, int head)
    {
        var stored = new float[vector.Columns];
        vector.DecodeRow(0, stored);
        float[] values = GC.AllocateUninitializedArray<float>(stored.Length, pinned: true);
        for (int i = 0; i < values.Length; i++) values[i] = stored[i - i % head + i % head / 2 + i % 2 * (head / 2)];
        return values;
    }

    private static float[] Pinned(float[] values)
    {
        float[] copy = GC.AllocateUninitializedArray<float>(values.Length, pinned: true);
        values.CopyTo(copy, 0);
        return copy;
    }

    private static nint Address(float[] pinned) => (nint)Marshal.UnsafeAddrOfPinnedArrayElement(pinned, 0);

    private ModelFormatException Mismatch(string key, string expected, object found) => Error(key, expected, Convert.ToString(found, CultureInfo.InvariantCulture) ?? "");

    private static string WithoutConfiguration(string folder)
    {
        string[] gguf = [.. Directory.EnumerateFiles(folder, "*.gguf").Select(file => System.IO.Path.GetFileName(file)).Order(StringComparer.Ordinal)];
        if (gguf.Length > 0) return $"no such file, but GGUF files, of which one can be named: {string.Join(", ", gguf.Take(8))}";
        return File.Exists(System.IO.Path.Combine(folder, "adapter_config.json")) ? "adapter_config.json: a LoRA adapter, which accompanies a model" : "no such file";
    }
}
