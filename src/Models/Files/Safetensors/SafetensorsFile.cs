using System.Text.Json;
using System.Text.Unicode;

namespace Inference.Models;

/// <summary>
/// One safetensors file, mapped: eight bytes with the length of a JSON header, the header (names, types, shapes, byte ranges), the tensors. Opening checks all of
/// it: ranges lie in the file, cover it without holes or overlaps, and have the size of type and shape.
/// </summary>
internal sealed unsafe class SafetensorsFile : IDisposable
{
    /// <summary>The format's own limit.</summary>
    private const long MaxHeaderBytes = 100_000_000;

    private const string Header = "header", Metadata = "__metadata__";
    private const int LengthBytes = 8, MaxNameBytes = 65535, MaxDims = 8;

    private readonly FileMapping mapping;
    private readonly List<StoredTensor> tensors = [];

    private SafetensorsFile(string path, FileMapping mapping)
    {
        Path = path;
        this.mapping = mapping;
        if (Length < LengthBytes) throw Error(Header, "a length of 8 bytes", $"the end of the file at {Length}");
        ulong length = System.Runtime.CompilerServices.Unsafe.ReadUnaligned<ulong>(mapping.Data);
        if (length > MaxHeaderBytes) throw Error(Header, $"a length of at most {MaxHeaderBytes} bytes", $"{length}");
        if (length > (ulong)(Length - LengthBytes)) throw Error(Header, $"a length within the {Length - LengthBytes} bytes that are left", $"{length}");
        DataStart = LengthBytes + (long)length;
        if (!Utf8.IsValid(HeaderBytes)) throw Error(Header, "UTF-8", "other bytes");
        JsonFile.Guard(path, () =>
        {
            ReadHeader();
            return true;
        }, Header);
        CheckRanges();
    }

    public string Path { get; }

    /// <summary>Bytes of the file.</summary>
    public long Length => mapping.Length;

    /// <summary>Tensors in the header's order, with the file's own names and offsets in the file.</summary>
    public IReadOnlyList<StoredTensor> Tensors => tensors;

    /// <summary>First byte of the file; null once it is closed.</summary>
    public byte* Data => mapping.Data;

    private long DataStart { get; }

    private ReadOnlySpan<byte> HeaderBytes => new(mapping.Data + LengthBytes, (int)(DataStart - LengthBytes));

    /// <exception cref="ModelFormatException">It is no safetensors file, or it is damaged.</exception>
    /// <exception cref="IOException">The file is absent or cannot be read.</exception>
    public static SafetensorsFile Open(string path)
    {
        var mapping = new FileMapping(path);
        try
        {
            return new SafetensorsFile(path, mapping);
        }
        catch
        {
            mapping.Dispose();
            throw;
        }
    }

    /// <summary>Drops the pages of a tensor from this process; see <see cref="FileMapping.Forget"/>.</summary>
    public void Forget(StoredTensor tensor) => mapping.Forget(tensor.Offset, tensor.Bytes);

    public void Dispose() => mapping.Dispose();

    private void ReadHeader()
    {
        var reader = new Utf8JsonReader(HeaderBytes);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw Error(Header, "an object", $"{reader.TokenType}");
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueSpan.Length is 0 or > MaxNameBytes) throw Error(Header, $"names of 1 to {MaxNameBytes} bytes", $"{reader.ValueSpan.Length} bytes");
            string name = reader.GetString()!;
            if (!names.Add(name)) throw Error($"tensor {name}", "a name that stands once", "a second one");
            if (names.Count > ModelFile.MaxTensors) throw Error(Header, $"at most {ModelFile.MaxTensors} tensors", "more");
            reader.Read();
            if (name == Metadata) ReadMetadata(ref reader);
            else tensors.Add(ReadTensor(ref reader, name));
        }
        // The reader itself refuses anything but white space behind the object.
        reader.Read();
    }

    /// <summary>Checks that all of it is text, as the format wants; nothing in it is used.</summary>
    private void ReadMetadata(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject) throw Error(Metadata, "an object of strings", $"{reader.TokenType}");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.String) throw Error(Metadata, "an object of strings", $"{reader.TokenType}");
        }
    }

    private StoredTensor ReadTensor(ref Utf8JsonReader reader, string name)
    {
        string what = $"tensor {name}";
        if (reader.TokenType != JsonTokenType.StartObject) throw Error(what, "an object with dtype, shape and data_offsets", $"{reader.TokenType}");
        SafetensorsType? type = null;
        long[]? shape = null, range = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string key = reader.ValueSpan.Length <= 16 ? reader.GetString()! : "a longer name";
            reader.Read();
            if (key == "dtype" && type is null && reader.TokenType == JsonTokenType.String) type = FindType(reader.GetString()!, what);
            else if (key == "shape" && shape is null) shape = ReadNumbers(ref reader, what, key, MaxDims);
            else if (key == "data_offsets" && range is null) range = ReadNumbers(ref reader, what, key, 2);
            else throw Error(what, "dtype, shape and data_offsets, each once", $"{key} ({reader.TokenType})");
        }
        if (type is null || shape is null || range is null) throw Error(what, "dtype, shape and data_offsets", $"no {(type is null ? "dtype" : shape is null ? "shape" : "data_offsets")}");
        if (range.Length != 2) throw Error(what, "data_offsets of begin and end", $"{range.Length} numbers");
        return Place(name, what, type, shape, range[0], range[1]);
    }

    private SafetensorsType FindType(string name, string what) =>
        SafetensorsType.Find(name) ?? throw Error(what, "a dtype of " + string.Join(", ", SafetensorsType.All.Select(t => t.Name)), name);

    private StoredTensor Place(string name, string what, SafetensorsType type, long[] shape, long begin, long end)
    {
        long elements = 1, most = Length - DataStart;
        foreach (long extent in shape)
        {
            // Every element takes half a byte at least, so that more than this are not in the file, and the product never overflows.
            if (extent < 1 || extent > 2 * most / elements) throw Error(what, $"extents of at least 1 and elements within the {most} bytes of the file's data", $"a shape of [{string.Join(", ", shape)}]");
            elements *= extent;
        }
        if (begin > end || end > most) throw Error(what, $"data_offsets in order and within the {most} bytes of the file's data", $"{begin} to {end}");
        Int128 bits = (Int128)elements * type.Bits;
        if (bits != (Int128)(end - begin) * 8) throw Error(what, $"{bits / 8} bytes for {type.Name} [{string.Join(", ", shape)}]", $"{end - begin}");
        long[] dims = shape.Length == 0 ? [1] : [.. shape.Reverse()];
        return new StoredTensor(name, type.TypeNumber, dims, DataStart + begin, end - begin) { TypeName = type.Name };
    }

    private long[] ReadNumbers(ref Utf8JsonReader reader, string what, string key, int most)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw Error(what, $"{key} as an array", $"{reader.TokenType}");
        Span<long> numbers = stackalloc long[most];
        int count = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (count == most) throw Error(what, $"{key} of at most {most} numbers", "more");
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out long number) || number < 0) throw Error(what, $"{key} of integers from 0 to 2^63 - 1", $"{reader.TokenType} among them");
            numbers[count++] = number;
        }
        return numbers[..count].ToArray();
    }

    /// <summary>Every byte behind the header belongs to one tensor.</summary>
    private void CheckRanges()
    {
        long end = DataStart;
        StoredTensor? before = null;
        foreach (StoredTensor tensor in tensors.OrderBy(t => t.Offset))
        {
            if (tensor.Offset != end)
                throw Error($"tensor {tensor.Name}", $"to begin at byte {end - DataStart} of the data, {(before is null ? "the first" : $"where tensor {before.Name} ends")}", $"{tensor.Offset - DataStart}");
            end = tensor.Offset + tensor.Bytes;
            before = tensor;
        }
        if (end != Length) throw Error("file", $"its end at {end}, where the last tensor ends", $"{Length}");
    }

    private ModelFormatException Error(string key, string expected, string found) => new(Path, key, expected, found);
}
