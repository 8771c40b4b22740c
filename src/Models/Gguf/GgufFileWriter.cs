using System.Buffers.Binary;
using Inference.Kernels;

namespace Inference.Models;

/// <summary>One tensor of a file to be written.</summary>
/// <param name="Name">Name in the directory.</param>
/// <param name="Type">Its type; a row is a whole number of blocks.</param>
/// <param name="Dims">1 to 4 extents, innermost first.</param>
internal sealed record GgufTensorEntry(string Name, TensorType Type, long[] Dims)
{
    /// <summary>Size in the file.</summary>
    public long Bytes
    {
        get
        {
            GgmlType type = GgmlType.Of((uint)Type);
            return Dims.Aggregate(1L, (product, dim) => checked(product * dim)) / type.BlockElements * type.BlockBytes;
        }
    }
}

/// <summary>
/// Writes a GGUF file (version 3, little endian). Header and directory are written when it is created; the tensors' bytes then come in any order, from any thread.
/// The file has its name only after <see cref="Commit"/>; bytes that were never written are 0.
/// </summary>
internal sealed class GgufFileWriter : IDisposable
{
    private readonly OutputFile output;
    private readonly long[] offsets;

    /// <param name="path">The file.</param>
    /// <param name="metadata">Pairs in order.</param>
    /// <param name="tensors">The directory in order, which is also that of their bytes.</param>
    /// <param name="replace">Whether a file of that name may be replaced.</param>
    /// <exception cref="IOException">It cannot be written; see <see cref="OutputFile"/>.</exception>
    public GgufFileWriter(string path, GgufMetadata metadata, IReadOnlyList<GgufTensorEntry> tensors, bool replace = false)
    {
        int alignment = metadata.Alignment;
        offsets = new long[tensors.Count];
        long end = 0;
        for (int i = 0; i < offsets.Length; i++)
        {
            offsets[i] = end;
            end = Align(end + tensors[i].Bytes, alignment);
        }
        byte[] header = Header(metadata, tensors);
        long dataStart = Align(header.Length, alignment);
        for (int i = 0; i < offsets.Length; i++) offsets[i] += dataStart;
        Length = dataStart + end;
        output = new OutputFile(path, Length, replace);
        try
        {
            output.Write(0, header);
            // The padding behind the last tensor belongs to the file, as with ggml.
            if (Length > header.Length) output.Write(Length - 1, [0]);
        }
        catch
        {
            output.Dispose();
            throw;
        }
    }

    /// <summary>Bytes of the whole file.</summary>
    public long Length { get; }

    /// <summary>Writes part of a tensor's bytes. Parts must not overlap.</summary>
    /// <param name="tensor">Index in the directory.</param>
    /// <param name="offset">Where in the tensor's bytes.</param>
    /// <param name="bytes">The part.</param>
    public void Write(int tensor, long offset, ReadOnlySpan<byte> bytes) => output.Write(offsets[tensor] + offset, bytes);

    /// <summary>All is written: the bytes go to the disk and the file gets its name.</summary>
    public void Commit() => output.Commit();

    public void Dispose() => output.Dispose();

    private byte[] Header(GgufMetadata metadata, IReadOnlyList<GgufTensorEntry> tensors)
    {
        var stream = new MemoryStream();
        stream.Write("GGUF"u8);
        WriteInt32(stream, 3);
        WriteInt64(stream, tensors.Count);
        WriteInt64(stream, metadata.Pairs.Count);
        foreach ((string key, GgufType type, byte[] value) in metadata.Pairs)
        {
            stream.Write(GgufMetadata.Encode(key));
            WriteInt32(stream, (int)type);
            stream.Write(value);
        }
        for (int i = 0; i < tensors.Count; i++)
        {
            GgufTensorEntry tensor = tensors[i];
            stream.Write(GgufMetadata.Encode(tensor.Name));
            WriteInt32(stream, tensor.Dims.Length);
            foreach (long dim in tensor.Dims) WriteInt64(stream, dim);
            WriteInt32(stream, (int)tensor.Type);
            // Offsets count from the start of the data.
            WriteInt64(stream, offsets[i]);
        }
        return stream.ToArray();
    }

    private static long Align(long position, int alignment) => (position + alignment - 1) / alignment * alignment;

    private static void WriteInt32(Stream stream, int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    private static void WriteInt64(Stream stream, long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        stream.Write(bytes);
    }
}
