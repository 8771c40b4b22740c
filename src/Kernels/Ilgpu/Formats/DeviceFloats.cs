using System.Runtime.InteropServices;
using ILGPU;

namespace Inference.Kernels;

/// <summary>F32 on GPUs. Quants: [row][columns / 4], as in the file.</summary>
internal readonly struct DeviceF32 : IPackedFormat, IFloatFormat
{
    public static TensorType Type => TensorType.F32;
    public static PackedSizes Sizes(int rows, int columns) => new((long)rows * columns / 4, 1, 1, 1);
    public static void PackRow(ReadOnlySpan<byte> blocks, in PackedHost packed, int row) => FloatRows.Copy(blocks, packed, row, 4);

    public static Float8 Load<TIsa>(PackedMatrix w, int row, int vector) where TIsa : struct, IIsa
    {
        long at = ((long)row * w.Chunks * 4 + vector) * 2;
        return new() { Low = Float4.FromBits(w.Quants[at]), High = Float4.FromBits(w.Quants[at + 1]) };
    }

    public static float Element<TIsa>(PackedMatrix w, int row, int column) where TIsa : struct, IIsa => FloatRows.Element(Load<TIsa>(w, row, column >> 3), column & 7);
}

/// <summary>F16 on GPUs. Quants: [row][columns / 8], as in the file.</summary>
internal readonly struct DeviceF16 : IPackedFormat, IFloatFormat
{
    public static TensorType Type => TensorType.F16;
    public static PackedSizes Sizes(int rows, int columns) => new((long)rows * columns / 8, 1, 1, 1);
    public static void PackRow(ReadOnlySpan<byte> blocks, in PackedHost packed, int row) => FloatRows.Copy(blocks, packed, row, 8);
    public static Float8 Load<TIsa>(PackedMatrix w, int row, int vector) where TIsa : struct, IIsa => FloatRows.FromHalves<TIsa>(w.Quants[(long)row * w.Chunks * 4 + vector]);
    public static float Element<TIsa>(PackedMatrix w, int row, int column) where TIsa : struct, IIsa => FloatRows.Element(Load<TIsa>(w, row, column >> 3), column & 7);
}

/// <summary>BF16 on GPUs. Quants: [row][columns / 8], as in the file.</summary>
internal readonly struct DeviceBF16 : IPackedFormat, IFloatFormat
{
    public static TensorType Type => TensorType.BF16;
    public static PackedSizes Sizes(int rows, int columns) => new((long)rows * columns / 8, 1, 1, 1);
    public static void PackRow(ReadOnlySpan<byte> blocks, in PackedHost packed, int row) => FloatRows.Copy(blocks, packed, row, 8);

    public static Float8 Load<TIsa>(PackedMatrix w, int row, int vector) where TIsa : struct, IIsa => FloatRows.FromBrains(w.Quants[(long)row * w.Chunks * 4 + vector]);

    public static float Element<TIsa>(PackedMatrix w, int row, int column) where TIsa : struct, IIsa => FloatRows.Element(Load<TIsa>(w, row, column >> 3), column & 7);
}

/// <summary>Parts that float formats share.</summary>
internal static class FloatRows
{
    /// <summary>Rows lie as in the file, 16 bytes (<paramref name="perVector"/> elements) to a vector.</summary>
    public static unsafe void Copy(ReadOnlySpan<byte> blocks, in PackedHost packed, int row, int perVector)
    {
        int vectors = packed.Columns / perVector;
        blocks.CopyTo(new Span<byte>(packed.Quants + (long)row * vectors, vectors * 16));
    }

    /// <summary>Eight float16 values.</summary>
    public static Float8 FromHalves<TIsa>(UInt4 v) where TIsa : struct, IIsa => new() { Low = Pairs<TIsa>(v.X, v.Y), High = Pairs<TIsa>(v.Z, v.W) };

    /// <summary>Eight bfloat16 values.</summary>
    public static Float8 FromBrains(UInt4 v) => new() { Low = Brains(v.X, v.Y), High = Brains(v.Z, v.W) };

    /// <summary>Element 0-7; selects instead of indexing.</summary>
    public static float Element(Float8 v, int i)
    {
        Float4 half = i < 4 ? v.Low : v.High;
        int j = i & 3;
        return j < 2 ? (j == 0 ? half.X : half.Y) : (j == 2 ? half.Z : half.W);
    }

    private static Float4 Brains(uint a, uint b) =>
        new() { X = Interop.IntAsFloat(a << 16), Y = Interop.IntAsFloat(a & 0xffff0000u), Z = Interop.IntAsFloat(b << 16), W = Interop.IntAsFloat(b & 0xffff0000u) };

    private static Float4 Pairs<TIsa>(uint a, uint b) where TIsa : struct, IIsa =>
        new() { X = TIsa.Half(a & 0xffffu), Y = TIsa.Half(a >> 16), Z = TIsa.Half(b & 0xffffu), W = TIsa.Half(b >> 16) };
}
