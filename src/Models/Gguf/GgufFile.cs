using Inference.Kernels;
using Inference.Models.Templates;

namespace Inference.Models;

/// <summary>
/// A GGUF file (version 2 or 3, little endian), mapped. Opening reads the header, checks every bound in it and lists metadata and tensors;
/// values and tensor bytes are read from the map when asked for, so they need the file open. Safe for concurrent reading.
/// </summary>
internal sealed unsafe partial class GgufFile : ModelFile
{
    private const uint Magic = 0x46554747; // "GGUF"
    private const int DefaultAlignment = 32;

    /// <summary>A model has about fifty keys; a file with millions would only exhaust memory.</summary>
    private const int MaxPairs = 1 << 16;

    // Encoded sizes that bound the counts: name length and one byte of name; type and a one-byte value; or extents, type and offset.
    private const int MinimumPairBytes = 8 + 1 + 4 + 1;
    private const int MinimumTensorBytes = 8 + 1 + 4 + 8 + 4 + 8;

    private readonly FileMapping mapping;
    private readonly Dictionary<string, GgufValue> metadata = [];

    private GgufFile(string path, FileMapping mapping)
    {
        Path = path;
        this.mapping = mapping;
        var cursor = new GgufCursor(path, mapping, 0);
        ReadVersion(ref cursor);
        long tensorCount = cursor.ReadCount("tensor count", MinimumTensorBytes);
        long pairCount = cursor.ReadCount("metadata count", MinimumPairBytes);
        if (tensorCount > MaxTensors) throw cursor.Error("tensor count", $"at most {MaxTensors}", $"{tensorCount}");
        if (pairCount > MaxPairs) throw cursor.Error("metadata count", $"at most {MaxPairs}", $"{pairCount}");
        for (long i = 0; i < pairCount; i++) ReadPair(ref cursor);
        int alignment = ReadAlignment();
        for (long i = 0; i < tensorCount; i++) ReadTensor(ref cursor);
        PlaceTensors((cursor.Position + alignment - 1) / alignment * alignment, alignment);
    }

    /// <summary>Path it was opened by.</summary>
    public override string Path { get; }

    /// <summary>2 or 3.</summary>
    public int Version { get; private set; }

    /// <summary>Bytes of the file.</summary>
    public override long Length => mapping.Length;

    public override string Format => $"GGUF v{Version}";

    /// <summary>Metadata in the file's order.</summary>
    public IReadOnlyDictionary<string, GgufValue> Metadata => metadata;

    /// <exception cref="ModelFormatException">The file is no GGUF file that this build reads, or it is damaged.</exception>
    /// <exception cref="IOException">The file is absent or cannot be read.</exception>
    public static new GgufFile Open(string path)
    {
        var mapping = new FileMapping(path);
        try
        {
            return new GgufFile(path, mapping);
        }
        catch
        {
            mapping.Dispose();
            throw;
        }
    }

    public override TensorSource Source(StoredTensor tensor)
    {
        ObjectDisposedException.ThrowIf(mapping.Data == null, this);
        return SourceAt(tensor, (nint)(mapping.Data + tensor.Offset));
    }

    public override void Forget(StoredTensor tensor) => mapping.Forget(tensor.Offset, tensor.Bytes);

    public override ModelFormatException Error(string key, string expected, string found) => new(Path, key, expected, found);

    public override IEnumerable<KeyValuePair<string, string>> Describe() => metadata.Keys.Select(key => KeyValuePair.Create(key, Describe(key)));

    public override long? TokenCount => ArrayLength(VocabularyData.Key("tokens"));

    public override void RequireModel()
    {
        RequireLanguageModel();
        if (Tensors.Count == 0 && ArrayLength(VocabularyData.Key("tokens")) is { } tokens) throw Error("tensors", "the weights of a model", $"none beside a vocabulary of {tokens} tokens: the file can only tokenize");
    }

    /// <summary>Refuses by its metadata what only accompanies a model.</summary>
    public void RequireLanguageModel()
    {
        if (TryGetString("general.type", out string? type) && type != "model") throw Error("general.type", "model", $"{type}: {Companion(type)}");
        if (TryGetString("general.architecture", out string? architecture) && architecture == "clip") throw Error("general.architecture", "a language model", $"clip: {Companion("mmproj")}");
    }

    public override Tokenizer ReadTokenizer() => Tokenizer.FromGguf(this);

    public override VocabularyData ReadVocabulary() => VocabularyData.Read(this);

    public override ChatTemplate? ReadChatTemplate() => ChatTemplateFiles.FromGguf(this);

    public override void Dispose() => mapping.Dispose();

    private static string Companion(string type) => type switch
    {
        "mmproj" => "a projector for images or sound (mmproj), which accompanies a model",
        "adapter" => "a LoRA adapter, which accompanies a model",
        "imatrix" => "an importance matrix, which is for quantising a model",
        _ => "a file that accompanies a model",
    };

    private void ReadVersion(ref GgufCursor cursor)
    {
        uint magic = cursor.Read<uint>("magic");
        if (magic != Magic) throw cursor.Error("magic", "the bytes GGUF", DescribeMagic(magic));
        uint version = cursor.Read<uint>("version");
        if (version is not (2 or 3))
        {
            string found = version switch
            {
                1 => "version 1, which was withdrawn in 2023",
                _ when (version & 0xffff) == 0 => $"a big-endian file of version {version >> 24}",
                _ => $"version {version}",
            };
            throw cursor.Error("version", "GGUF version 2 or 3, little endian", found);
        }
        Version = (int)version;
    }

    /// <summary>What a file of another format is, of those that a user may take for a model.</summary>
    private static string DescribeMagic(uint magic) => magic switch
    {
        0x47475546 => "a big-endian GGUF file",
        0x67676d6c or 0x67676d66 or 0x67676a74 or 0x67676c61 => "a GGML file of 2023, which no current program reads",
        0x04034b50 => "a zip archive: PyTorch's pickled files are not read",
        _ => $"0x{magic:x8}",
    };

    private void ReadPair(ref GgufCursor cursor)
    {
        string key = cursor.ReadName("metadata key");
        var type = (GgufType)cursor.Read<uint>(key);
        GgufValue value = type == GgufType.Array ? ReadArray(ref cursor, key) : new(type, type, cursor.Position, 1);
        if (type != GgufType.Array) SkipValues(ref cursor, key, type, 1);
        if (!metadata.TryAdd(key, value)) throw cursor.Error(key, "a key that stands once", "a second one");
    }

    private static GgufValue ReadArray(ref GgufCursor cursor, string key)
    {
        var elementType = (GgufType)cursor.Read<uint>(key);
        int minimum = GgufTypes.MinimumBytes(elementType);
        if (elementType == GgufType.Array) throw cursor.Error(key, "an array of scalars or strings", "an array of arrays");
        if (minimum == 0) throw cursor.Error(key, "an element type of 0 to 12", $"type {(uint)elementType}");
        long count = cursor.ReadCount(key, minimum);
        long offset = cursor.Position;
        SkipValues(ref cursor, key, elementType, count);
        return new(GgufType.Array, elementType, offset, count);
    }

    private static void SkipValues(ref GgufCursor cursor, string key, GgufType type, long count)
    {
        switch (type)
        {
            case GgufType.String:
                for (long i = 0; i < count; i++) cursor.ReadBytes(key);
                break;
            case GgufType.Bool:
                for (long i = 0; i < count; i++)
                {
                    byte value = cursor.Read<byte>(key);
                    if (value > 1) throw cursor.Error(key, "a bool of 0 or 1", $"{value}");
                }
                break;
            default:
                int bytes = GgufTypes.MinimumBytes(type);
                if (bytes == 0) throw cursor.Error(key, "a value type of 0 to 12", $"type {(uint)type}");
                cursor.Skip(count * bytes, key);
                break;
        }
    }

    private int ReadAlignment()
    {
        if (!TryGetInteger("general.alignment", out long alignment)) return DefaultAlignment;
        return alignment is > 0 and <= 1 << 30 && long.IsPow2(alignment) ? (int)alignment : throw new ModelFormatException(Path, "general.alignment", "a power of two up to 2^30", $"{alignment}");
    }

    private void ReadTensor(ref GgufCursor cursor)
    {
        string name = cursor.ReadName("tensor name"), what = $"tensor {name}";
        uint dimCount = cursor.Read<uint>(what);
        if (dimCount is 0 or > 4) throw cursor.Error(what, "1 to 4 dimensions", $"{dimCount}");
        var dims = new long[dimCount];
        long elements = 1;
        for (int i = 0; i < dims.Length; i++)
        {
            ulong dim = cursor.Read<ulong>(what);
            // 2^52 elements are beyond any file, and their bytes still fit a long.
            if (dim == 0 || dim > (ulong)((1L << 52) / elements)) throw cursor.Error(what, "extents of at least 1 and at most 2^52 elements", $"an extent of {dim}");
            dims[i] = (long)dim;
            elements *= dims[i];
        }
        uint typeNumber = cursor.Read<uint>(what);
        ulong offset = cursor.Read<ulong>(what);
        GgmlType type = GgmlType.Of(typeNumber);
        if (dims[0] % type.BlockElements != 0) throw cursor.Error(what, $"rows in whole blocks of {type.BlockElements} ({type.Name})", $"rows of {dims[0]}");
        if (offset > (ulong)Length) throw cursor.Error(what, $"an offset within the file's {Length} bytes", $"{offset}");
        // The offset is counted from the data section, whose start is known after the last entry.
        var tensor = new StoredTensor(name, typeNumber, dims, (long)offset, elements / type.BlockElements * type.BlockBytes);
        if (!TryAdd(tensor)) throw cursor.Error(what, "a name that stands once", "a second one");
    }

    /// <summary>Turns offsets within the data section into file offsets and checks that every tensor lies in the file, aligned, and on no other's bytes.</summary>
    private void PlaceTensors(long dataStart, int alignment)
    {
        for (int i = 0; i < Tensors.Count; i++)
        {
            StoredTensor tensor = Tensors[i];
            if (tensor.Offset % alignment != 0) throw new ModelFormatException(Path, $"tensor {tensor.Name}", $"an offset aligned to {alignment}", $"{tensor.Offset}");
            StoredTensor placed = tensor with { Offset = dataStart + tensor.Offset };
            if (placed.Bytes > Length - placed.Offset)
                throw new ModelFormatException(Path, $"tensor {tensor.Name}", $"{placed.Bytes} bytes at offset {placed.Offset}", $"the end of the file at {Length}");
            Replace(i, placed);
        }
        StoredTensor? before = null;
        foreach (StoredTensor tensor in Tensors.OrderBy(t => t.Offset))
        {
            // A tensor of unknown size takes at least one byte.
            long end = before is null ? 0 : before.Offset + Math.Max(before.Bytes, 1);
            if (end > tensor.Offset) throw new ModelFormatException(Path, $"tensor {tensor.Name}", $"an offset behind tensor {before!.Name}, which ends at {end}", $"{tensor.Offset}");
            before = tensor;
        }
    }
}
