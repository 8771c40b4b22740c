using ILGPU;

namespace Inference.Kernels;

/// <summary>Activations as int8 in blocks of 32, with the float32 scale and the int sum of each block.</summary>
internal struct QuantizedRows
{
    /// <summary>[row][2 planes][chunk]: 16 signed bytes each.</summary>
    public ArrayView<UInt4> Quants;

    /// <summary>[row][chunk]</summary>
    public ArrayView<float> Scales;

    /// <summary>[row][chunk] sum of the 32 quants: what a weight's zero point or min is multiplied with.</summary>
    public ArrayView<int> Sums;

    public int Chunks;
}

/// <summary>Where a kernel takes the values from that it quantises; called twice for each, and gives the same bits both times.</summary>
internal interface IValueSource
{
    /// <summary>Elements 4i .. 4i + 3 of the row.</summary>
    Float4 Load(int i);
}

/// <summary>Values of a row in memory.</summary>
internal struct MemoryValues : IValueSource
{
    public ArrayView<Float4> Values;
    public long Start;
    public readonly Float4 Load(int i) => Values[Start + i];
}

/// <summary>The arguments of <see cref="ActivationQuantizationKernel"/>.</summary>
internal struct QuantizeArgs
{
    public ArrayView<Float4> X;
    public QuantizedRows Quantized;
}

/// <summary>
/// q = round(x * 127 / max|x|) in blocks of 32, bit for bit as ActivationQuantization.Reference. x: [rows][columns]. Grid (blocks of a row /
/// ElementThreads, rows), a thread to a block, which needs no exchange between threads.
/// </summary>
internal static class ActivationQuantizationKernel
{
    public static void Run<TGroups>(QuantizeArgs a) where TGroups : struct, IGroups
    {
        int chunk = Grid.IdxX * TGroups.ElementThreads + Group.IdxX, row = Grid.IdxY;
        if (chunk < a.Quantized.Chunks)
            Block(new MemoryValues { Values = a.X, Start = (long)row * a.Quantized.Chunks * 8 }, a.Quantized, row, chunk);
    }

    /// <summary>Quantises block <paramref name="chunk"/> of a row.</summary>
    public static void Block<TSource>(TSource source, QuantizedRows o, int row, int chunk) where TSource : struct, IValueSource
    {
        int first = chunk * 8;
        float max = 0f;
        for (int i = 0; i < 8; i++)
        {
            Float4 v = source.Load(first + i);
            max = Math.Max(max, Math.Max(Math.Max(Math.Abs(v.X), Math.Abs(v.Y)), Math.Max(Math.Abs(v.Z), Math.Abs(v.W))));
        }
        float inverse = max > 0f ? 127f / max : 0f;
        var low = new UInt4 { X = Pack(source.Load(first), inverse), Y = Pack(source.Load(first + 1), inverse), Z = Pack(source.Load(first + 2), inverse), W = Pack(source.Load(first + 3), inverse) };
        var high = new UInt4 { X = Pack(source.Load(first + 4), inverse), Y = Pack(source.Load(first + 5), inverse), Z = Pack(source.Load(first + 6), inverse), W = Pack(source.Load(first + 7), inverse) };
        var ones = new UInt4 { X = 0x01010101u, Y = 0x01010101u, Z = 0x01010101u, W = 0x01010101u };
        long at = (long)row * 2 * o.Chunks + chunk;
        o.Quants[at] = low;
        o.Quants[at + o.Chunks] = high;
        o.Scales[(long)row * o.Chunks + chunk] = max / 127f;
        o.Sums[(long)row * o.Chunks + chunk] = Numerics.Dot16(high, ones, Numerics.Dot16(low, ones, 0));
    }

    private static uint Pack(Float4 v, float inverse)
    {
        int x = Numerics.RoundToInt(v.X * inverse), y = Numerics.RoundToInt(v.Y * inverse), z = Numerics.RoundToInt(v.Z * inverse), w = Numerics.RoundToInt(v.W * inverse);
        return (uint)((x & 255) | (y & 255) << 8 | (z & 255) << 16 | w << 24);
    }
}
