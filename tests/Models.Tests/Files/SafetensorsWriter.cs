using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;

namespace Inference.Models.Tests;

/// <summary>Writes safetensors files for tests, straight from the format's description; every part of the header can be given a wrong value.</summary>
internal sealed class SafetensorsWriter
{
    /// <summary>A tensor; the shape outermost first. Offsets null: behind the one before.</summary>
    public sealed record Tensor(string Name, string Type, long[] Shape, byte[] Data, (long Begin, long End)? Range = null);

    public List<Tensor> Tensors { get; } = [];

    /// <summary>Header as text instead of that of <see cref="Tensors"/>.</summary>
    public string? Header { get; set; }

    /// <summary>Length of the header that the first eight bytes claim.</summary>
    public ulong? HeaderLength { get; set; }

    public static byte[] Bytes(params float[] values) => MemoryMarshal.AsBytes(values.AsSpan()).ToArray();

    public SafetensorsWriter AddF32(string name, long[] shape, params float[] values)
    {
        Tensors.Add(new(name, "F32", shape, Bytes(values)));
        return this;
    }

    public byte[] ToArray()
    {
        byte[] header = Encoding.UTF8.GetBytes(Header ?? MakeHeader()), length = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, HeaderLength ?? (ulong)header.Length);
        return [.. length, .. header, .. Tensors.SelectMany(t => t.Data)];
    }

    private string MakeHeader()
    {
        var header = new JsonObject { ["__metadata__"] = new JsonObject { ["format"] = "pt" } };
        long next = 0;
        foreach (Tensor tensor in Tensors)
        {
            (long begin, long end) = tensor.Range ?? (next, next + tensor.Data.Length);
            header[tensor.Name] = new JsonObject { ["dtype"] = tensor.Type, ["shape"] = new JsonArray([.. tensor.Shape.Select(s => (JsonNode)s)]), ["data_offsets"] = new JsonArray(begin, end) };
            next += tensor.Data.Length;
        }
        return header.ToJsonString();
    }
}
