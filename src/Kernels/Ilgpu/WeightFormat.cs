using System.Runtime.InteropServices;
using ILGPU;

namespace Inference.Kernels;

/// <summary>
/// A matrix repacked for GPUs. A chunk is 32 weights of one row; arrays run over chunks innermost, so that neighbouring lanes read neighbouring
/// bytes. Each format says which arrays it uses and how; unused ones have one dummy element.
/// </summary>
internal struct PackedMatrix
{
    /// <summary>Quants or floats, 16 bytes at a time: [row][plane][chunk or vector].</summary>
    public ArrayView<UInt4> Quants;

    /// <summary>Further bits of the quants.</summary>
    public ArrayView<uint> Bits;

    /// <summary>Scales of chunks.</summary>
    public ArrayView<ushort> Scales;

    /// <summary>Headers of 256 weights.</summary>
    public ArrayView<UInt4> Headers;

    public int Rows;

    /// <summary>Chunks of 32 weights in a row.</summary>
    public int Chunks;
}

/// <summary>Elements of each array of a packed matrix.</summary>
internal readonly record struct PackedSizes(long Quants, long Bits, long Scales, long Headers)
{
    public long Bytes => Quants * 16 + Bits * 4 + Scales * 2 + Headers * 16;
}

/// <summary>The arrays of a packed matrix on the host, while it is being packed.</summary>
internal unsafe struct PackedHost
{
    public UInt4* Quants;
    public uint* Bits;
    public ushort* Scales;
    public UInt4* Headers;
    public int Rows, Columns;

    /// <summary>Four words of 16 bytes in memory order.</summary>
    public static UInt4 Words(ReadOnlySpan<byte> bytes) => MemoryMarshal.Read<UInt4>(bytes);
}

/// <summary>A weight format as kernels read it.</summary>
internal interface IDeviceFormat
{
    /// <summary>Device: one weight.</summary>
    static abstract float Element<TIsa>(PackedMatrix w, int row, int column) where TIsa : struct, IIsa;
}

/// <summary>A format that weights are packed in at load, on the host. The struct's device part is what kernels inline.</summary>
internal interface IPackedFormat : IDeviceFormat
{
    static abstract TensorType Type { get; }

    /// <summary>Sizes of the arrays for a matrix.</summary>
    static abstract PackedSizes Sizes(int rows, int columns);

    /// <summary>Host: packs row <paramref name="row"/> out of the file's blocks.</summary>
    static abstract void PackRow(ReadOnlySpan<byte> blocks, in PackedHost packed, int row);
}

/// <summary>
/// 32 weights in the one form that every product kernel understands: signed bytes Low (0-15) and High (16-31), weight = Scale * (quant + Zero) - Min.
/// Formats with 16-element scales use HighScale and HighMin for the second half.
/// </summary>
internal struct WeightChunk
{
    public UInt4 Low, High;
    public float Scale, HighScale, Min, HighMin;
    public int Zero;
}

/// <summary>A format of integer quants, multiplied with int8 activations.</summary>
internal interface IQuantizedFormat : IDeviceFormat
{
    /// <summary>Whether chunks have a <see cref="WeightChunk.Min"/>.</summary>
    static abstract bool HasMin { get; }

    /// <summary>Whether the second 16 weights have their own scale and min (and Zero is 0).</summary>
    static abstract bool HasHighScale { get; }

    static abstract WeightChunk Load<TIsa>(PackedMatrix w, int row, int chunk) where TIsa : struct, IIsa;
}

/// <summary>A format of floats, multiplied with float32 activations.</summary>
internal interface IFloatFormat : IDeviceFormat
{
    /// <summary>Weights 8 * vector .. 8 * vector + 7 of a row.</summary>
    static abstract Float8 Load<TIsa>(PackedMatrix w, int row, int vector) where TIsa : struct, IIsa;
}

/// <summary>Parts that quantised formats share.</summary>
internal static class Quantized
{
    /// <summary>Weight <paramref name="i"/> (0-31) of a chunk.</summary>
    public static float Element(WeightChunk k, int i, bool hasHighScale)
    {
        int quant = UInt4.SByteAt(i < 16 ? k.Low : k.High, i & 15);
        bool high = hasHighScale && i >= 16;
        return (high ? k.HighScale : k.Scale) * (quant + k.Zero) - (high ? k.HighMin : k.Min);
    }
}
