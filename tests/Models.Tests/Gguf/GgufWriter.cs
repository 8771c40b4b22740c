using System.Text;

namespace Inference.Models.Tests;

/// <summary>Writes GGUF files for tests, straight from the specification; every header field can be given a wrong value.</summary>
internal sealed class GgufWriter
{
    /// <summary>A directory entry. <paramref name="Offset"/> is where in the data section it claims to lie; null: behind the one before, aligned.</summary>
    public sealed record Tensor(string Name, uint Type, ulong[] Dims, byte[] Data, ulong? Offset = null, uint? DimCount = null);

    private readonly List<(byte[] Key, uint Type, byte[] Payload)> pairs = [];

    public uint Magic { get; set; } = 0x46554747;
    public uint Version { get; set; } = 3;
    public ulong? TensorCount { get; set; }
    public ulong? PairCount { get; set; }

    /// <summary>What the writer aligns to; does not add the metadata key.</summary>
    public int Alignment { get; set; } = 32;

    public List<Tensor> Tensors { get; } = [];

    /// <summary>Adds a pair; the .NET type of the value chooses the GGUF type. Later pairs of a key replace earlier ones.</summary>
    public GgufWriter Set(string key, object value)
    {
        (uint type, byte[] payload) = Encode(value);
        pairs.RemoveAll(p => p.Key.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(key)));
        return AddRaw(key, type, payload);
    }

    public GgufWriter Remove(string key)
    {
        pairs.RemoveAll(p => p.Key.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(key)));
        return this;
    }

    /// <summary>Adds a pair byte by byte.</summary>
    public GgufWriter AddRaw(string key, uint type, byte[] payload)
    {
        pairs.Add((Encoding.UTF8.GetBytes(key), type, payload));
        return this;
    }

    /// <summary>Adds a float32 tensor; dims innermost first.</summary>
    public GgufWriter AddF32(string name, ulong[] dims, Func<int, float> value)
    {
        var values = new float[dims.Aggregate(1UL, (a, b) => a * b)];
        for (int i = 0; i < values.Length; i++) values[i] = value(i);
        Tensors.Add(new(name, 0, dims, System.Runtime.InteropServices.MemoryMarshal.AsBytes(values.AsSpan()).ToArray()));
        return this;
    }

    public byte[] ToArray()
    {
        var stream = new MemoryStream();
        var writer = new BinaryWriter(stream);
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write(TensorCount ?? (ulong)Tensors.Count);
        writer.Write(PairCount ?? (ulong)pairs.Count);
        foreach ((byte[] key, uint type, byte[] payload) in pairs)
        {
            WriteString(writer, key);
            writer.Write(type);
            writer.Write(payload);
        }
        ulong next = 0;
        foreach (Tensor tensor in Tensors)
        {
            WriteString(writer, Encoding.UTF8.GetBytes(tensor.Name));
            writer.Write(tensor.DimCount ?? (uint)tensor.Dims.Length);
            foreach (ulong dim in tensor.Dims) writer.Write(dim);
            writer.Write(tensor.Type);
            writer.Write(tensor.Offset ?? next);
            next = (ulong)Align((long)next + tensor.Data.Length);
        }
        foreach (Tensor tensor in Tensors)
        {
            writer.Write(new byte[Align(stream.Length) - stream.Length]);
            writer.Write(tensor.Data);
        }
        return stream.ToArray();
    }

    public static byte[] EncodeString(string text) => Encode(text).Payload;

    private long Align(long position) => (position + Alignment - 1) / Alignment * Alignment;

    private static void WriteString(BinaryWriter writer, byte[] bytes)
    {
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private static (uint Type, byte[] Payload) Encode(object value)
    {
        var stream = new MemoryStream();
        var writer = new BinaryWriter(stream);
        uint type;
        switch (value)
        {
            case byte v: type = 0; writer.Write(v); break;
            case sbyte v: type = 1; writer.Write(v); break;
            case ushort v: type = 2; writer.Write(v); break;
            case short v: type = 3; writer.Write(v); break;
            case uint v: type = 4; writer.Write(v); break;
            case int v: type = 5; writer.Write(v); break;
            case float v: type = 6; writer.Write(v); break;
            case bool v: type = 7; writer.Write(v); break;
            case string v: type = 8; WriteString(writer, Encoding.UTF8.GetBytes(v)); break;
            case ulong v: type = 10; writer.Write(v); break;
            case long v: type = 11; writer.Write(v); break;
            case double v: type = 12; writer.Write(v); break;
            case byte[] v: type = 8; WriteString(writer, v); break;
            case Array v:
                type = 9;
                uint elementType = Encode(Activator(v.GetType().GetElementType()!)).Type;
                writer.Write(elementType);
                writer.Write((ulong)v.Length);
                foreach (object element in v) writer.Write(Encode(element).Payload);
                break;
            default: throw new ArgumentException(value.GetType().Name);
        }
        return (type, stream.ToArray());
    }

    private static object Activator(Type type) => type == typeof(string) || type == typeof(byte[]) ? "" : System.Activator.CreateInstance(type)!;
}
