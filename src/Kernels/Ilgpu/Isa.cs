using ILGPU;

namespace Inference.Kernels;

/// <summary>
/// The instruction set as a generic argument, chosen on the host when kernels are loaded. A branch inside the kernel would leave both paths in
/// the text and tear the order of the assembler lines.
/// </summary>
internal interface IIsa
{
    /// <summary>The value of float16 bits (lower 16 of <paramref name="bits"/>).</summary>
    static abstract float Half(uint bits);

    /// <summary>Opens the accumulators of slots 0-7 with zero; called once in a kernel, before their use.</summary>
    static abstract float Begin();

    /// <summary>acc + scale * (init + a.p + b.q) over 32 signed bytes. The slot names the accumulator where it is kept in a register of its own.</summary>
    static abstract float DotMulAdd<TSlot>(UInt4 a, UInt4 p, UInt4 b, UInt4 q, int init, float scale, float acc) where TSlot : struct, IConst;

    /// <summary>acc + scale * (a.p) over 16 signed bytes.</summary>
    static abstract float HalfDotMulAdd<TSlot>(UInt4 a, UInt4 p, float scale, float acc) where TSlot : struct, IConst;

    /// <summary>acc + x * y.</summary>
    static abstract float MulAdd<TSlot>(float x, float y, float acc) where TSlot : struct, IConst;

    /// <summary>Writes the slot's sum to shared memory.</summary>
    static abstract void Store<TSlot>(float acc, ArrayView<float> shared, int index) where TSlot : struct, IConst;
}

/// <summary>Plain C#: right everywhere.</summary>
internal readonly struct Portable : IIsa
{
    public static float Half(uint bits) => Numerics.HalfToFloat(bits);
    public static float Begin() => 0f;

    public static float DotMulAdd<TSlot>(UInt4 a, UInt4 p, UInt4 b, UInt4 q, int init, float scale, float acc) where TSlot : struct, IConst =>
        scale * Numerics.Dot16(b, q, Numerics.Dot16(a, p, init)) + acc;

    public static float HalfDotMulAdd<TSlot>(UInt4 a, UInt4 p, float scale, float acc) where TSlot : struct, IConst => scale * Numerics.Dot16(a, p, 0) + acc;
    public static float MulAdd<TSlot>(float x, float y, float acc) where TSlot : struct, IConst => x * y + acc;
    public static void Store<TSlot>(float acc, ArrayView<float> shared, int index) where TSlot : struct, IConst => shared[index] = acc;
}
