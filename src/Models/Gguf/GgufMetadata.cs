using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Inference.Models;

/// <summary>Metadata to be written: keys in order, each once, with type and encoded value. Setting a key again replaces its value in its place.</summary>
internal sealed class GgufMetadata
{
    private const string AlignmentKey = "general.alignment";

    private readonly List<(string Key, GgufType Type, byte[] Value)> pairs = [];
    private readonly Dictionary<string, int> places = new(StringComparer.Ordinal);

    /// <summary>Keys in the order they will have in the file.</summary>
    public IReadOnlyList<(string Key, GgufType Type, byte[] Value)> Pairs => pairs;

    /// <summary>What tensors are aligned to in bytes; the format's own 32 where no key says otherwise.</summary>
    public int Alignment => places.TryGetValue(AlignmentKey, out int place) && pairs[place].Value is { Length: 4 } value ? BinaryPrimitives.ReadInt32LittleEndian(value) : 32;

    public bool Contains(string key) => places.ContainsKey(key);

    /// <summary>Sets a number or bool; the .NET type chooses the stored one, from u8 to f64.</summary>
    public GgufMetadata Set<T>(string key, T value) where T : unmanaged => Put(key, TypeOf<T>(), Bytes([value]));

    public GgufMetadata Set(string key, string value) => Put(key, GgufType.String, Encode(value));

    /// <summary>Sets an array of numbers or bools.</summary>
    public GgufMetadata SetArray<T>(string key, ReadOnlySpan<T> values) where T : unmanaged => Put(key, GgufType.Array, [.. Head(TypeOf<T>(), values.Length), .. Bytes(values)]);

    /// <summary>Sets an array of strings.</summary>
    public GgufMetadata SetArray(string key, IReadOnlyCollection<string> values)
    {
        var stream = new MemoryStream();
        stream.Write(Head(GgufType.String, values.Count));
        foreach (string value in values) stream.Write(Encode(value));
        return Put(key, GgufType.Array, stream.ToArray());
    }

    /// <summary>Takes over a value of a file bit by bit.</summary>
    public GgufMetadata Copy(GgufFile file, string key) => Put(key, file.Metadata[key].Type, file.RawValue(key).ToArray());

    /// <summary>Encodes a string: 64-bit length, then UTF-8.</summary>
    public static byte[] Encode(string text)
    {
        var bytes = new byte[8 + Encoding.UTF8.GetByteCount(text)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, bytes.Length - 8);
        Encoding.UTF8.GetBytes(text, bytes.AsSpan(8));
        return bytes;
    }

    private GgufMetadata Put(string key, GgufType type, byte[] value)
    {
        if (places.TryGetValue(key, out int place)) pairs[place] = (key, type, value);
        else
        {
            places[key] = pairs.Count;
            pairs.Add((key, type, value));
        }
        return this;
    }

    private static byte[] Head(GgufType elementType, int count)
    {
        var head = new byte[12];
        BinaryPrimitives.WriteUInt32LittleEndian(head, (uint)elementType);
        BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(4), count);
        return head;
    }

    private static byte[] Bytes<T>(ReadOnlySpan<T> values) where T : unmanaged => MemoryMarshal.AsBytes(values).ToArray();

    private static GgufType TypeOf<T>() => default(T) switch
    {
        byte => GgufType.U8,
        sbyte => GgufType.I8,
        ushort => GgufType.U16,
        short => GgufType.I16,
        uint => GgufType.U32,
        int => GgufType.I32,
        float => GgufType.F32,
        bool => GgufType.Bool,
        ulong => GgufType.U64,
        long => GgufType.I64,
        double => GgufType.F64,
        _ => throw new ArgumentException($"GGUF has no value type for {typeof(T).Name}"),
    };
}
