namespace Inference.Models;

/// <summary>
/// How much each input of a matrix matters: the mean square of the activations it met in some text. The error of a weight is counted so much more.
/// Reads both formats of llama.cpp's <c>llama-imatrix</c>: GGUF, and the older .dat.
/// </summary>
internal sealed class ImportanceMatrix
{
    private const int MaxNameBytes = 1024;

    private readonly string path;
    private readonly Dictionary<string, float[]> entries;

    private ImportanceMatrix(string path, Dictionary<string, float[]> entries) => (this.path, this.entries) = (path, entries);

    /// <summary>Matrices that the file knows.</summary>
    public int Count => entries.Count;

    /// <summary>File name, kept in the metadata of what was made with it.</summary>
    public string FileName => Path.GetFileName(path);

    /// <exception cref="ModelFormatException">The file is neither format, or damaged.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static ImportanceMatrix Read(string path)
    {
        Span<byte> magic = stackalloc byte[4];
        using (FileStream stream = File.OpenRead(path)) stream.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false);
        Dictionary<string, float[]> entries = magic.SequenceEqual("GGUF"u8) ? ReadGguf(path) : ReadLegacy(path);
        foreach ((string name, float[] values) in entries)
            foreach (float value in values)
                if (!(value >= 0 && float.IsFinite(value))) throw new ModelFormatException(path, name, "importances of 0 or more", $"{value}");
        return new(path, entries);
    }

    /// <summary>
    /// Importances of a tensor: one per column, or per column of each of its outer matrices (experts). Null where the file does not know it.
    /// </summary>
    /// <exception cref="ModelFormatException">They are of another size: the file belongs to another model.</exception>
    public float[]? Of(StoredTensor tensor)
    {
        if (!entries.TryGetValue(tensor.Name, out float[]? values)) return null;
        long outer = tensor.Dims.Length > 2 ? tensor.Dims.Skip(2).Aggregate(1L, (product, dim) => product * dim) : 1;
        if (values.Length != tensor.Columns && values.Length != tensor.Columns * outer) throw new ModelFormatException(path, tensor.Name, $"{tensor.Columns * outer} importances", $"{values.Length}");
        return values;
    }

    /// <summary>For each matrix NAME two tensors: NAME.in_sum2, sums of squares [columns, matrices], and NAME.counts, how many they sum up [1, matrices].</summary>
    private static Dictionary<string, float[]> ReadGguf(string path)
    {
        const string Sums = ".in_sum2", Counts = ".counts";
        using GgufFile file = GgufFile.Open(path);
        if (!file.TryGetString("general.type", out string? type) || type != "imatrix") throw new ModelFormatException(path, "general.type", "imatrix", type ?? "no such key");
        var entries = new Dictionary<string, float[]>(StringComparer.Ordinal);
        foreach (StoredTensor tensor in file.Tensors.Where(t => t.Name.EndsWith(Sums, StringComparison.Ordinal)))
        {
            string name = tensor.Name[..^Sums.Length];
            StoredTensor counts = file.FindTensor(name + Counts) ?? throw new ModelFormatException(path, name + Counts, $"a tensor beside {tensor.Name}", "none");
            float[] sums = Values(tensor), of = Values(counts);
            if (of.Length != tensor.Rows) throw new ModelFormatException(path, counts.Name, $"{tensor.Rows} counts", $"{of.Length}");
            // A matrix that met nothing is not unimportant: nothing is known about it.
            for (int i = 0; i < sums.Length; i++) sums[i] = of[i / (int)tensor.Columns] is > 0 and var count ? sums[i] / count : 1;
            entries[name] = sums;
        }
        return entries.Count > 0 ? entries : throw new ModelFormatException(path, "tensors", $"names that end in {Sums}", "none");

        float[] Values(StoredTensor tensor)
        {
            if (tensor.Type != Kernels.TensorType.F32) throw new ModelFormatException(path, tensor.Name, "type F32", tensor.TypeName);
            var values = new float[checked((int)tensor.Elements)];
            Kernels.TensorSource source = file.Source(tensor);
            for (int row = 0; row < source.Rows; row++) source.DecodeRow(row, values.AsSpan(row * source.Columns, source.Columns));
            return values;
        }
    }

    /// <summary>Count of entries; each: name, calls, count of values, values (means times calls).</summary>
    private static Dictionary<string, float[]> ReadLegacy(string path)
    {
        using var mapping = new FileMapping(path);
        var cursor = new GgufCursor(path, mapping, 0);
        int count = cursor.Read<int>("count of entries");
        if (count < 1 || count > cursor.Remaining / 13) throw cursor.Error("file", "an importance matrix: a GGUF file or llama-imatrix's .dat", $"a first number of {count}");
        var entries = new Dictionary<string, float[]>(count, StringComparer.Ordinal);
        for (int i = 0; i < count; i++)
        {
            string name = ReadName(ref cursor, $"name of entry {i}");
            int calls = cursor.Read<int>(name), length = cursor.Read<int>(name);
            if (length < 1 || length > cursor.Remaining / sizeof(float)) throw cursor.Error(name, $"1 to {cursor.Remaining / sizeof(float)} values", $"{length}");
            var values = new float[length];
            for (int k = 0; k < length; k++) values[k] = cursor.Read<float>(name) / Math.Max(1, calls);
            if (!entries.TryAdd(name, values)) throw cursor.Error(name, "an entry that stands once", "a second one");
        }
        return entries;
    }

    private static string ReadName(ref GgufCursor cursor, string what)
    {
        int length = cursor.Read<int>(what);
        if (length < 1 || length > Math.Min(cursor.Remaining, MaxNameBytes)) throw cursor.Error(what, $"1 to {MaxNameBytes} bytes within the file", $"a length of {length}");
        var bytes = new byte[length];
        for (int i = 0; i < length; i++) bytes[i] = cursor.Read<byte>(what);
        return System.Text.Encoding.UTF8.GetString(bytes);
    }
}
