namespace Inference.Kernels;

/// <summary>
/// The instruction set as a generic argument, chosen on the host when kernels are loaded. A branch inside the kernel would leave every path in the
/// text, and what one device lacks would not compile there.
/// </summary>
internal interface IIsa
{
    /// <summary>The value of float16 bits (lower 16 of <paramref name="bits"/>).</summary>
    static abstract float Half(uint bits);

    /// <summary>a * b + c, rounded once where the device has that; never left to a compiler's choice.</summary>
    static abstract float Fma(float a, float b, float c);

    /// <summary>Four bytes of a table of 16, chosen by the bytes of <paramref name="indices"/>, 0-15 each.</summary>
    static abstract uint Lookup(UInt4 table, uint indices);

    /// <summary>init + a.p over 16 signed bytes.</summary>
    static abstract int Dot16(UInt4 a, UInt4 p, int init);

    /// <summary>init + a.p + b.q over 32 signed bytes.</summary>
    static abstract int Dot32(UInt4 a, UInt4 p, UInt4 b, UInt4 q, int init);
}

/// <summary>Plain C#: right everywhere.</summary>
internal readonly struct Portable : IIsa
{
    public static float Half(uint bits) => Numerics.HalfToFloat(bits);
    public static float Fma(float a, float b, float c) => a * b + c;
    public static uint Lookup(UInt4 table, uint indices) => Numerics.Lookup(table, indices);
    public static int Dot16(UInt4 a, UInt4 p, int init) => Numerics.Dot16(a, p, init);
    public static int Dot32(UInt4 a, UInt4 p, UInt4 b, UInt4 q, int init) => Numerics.Dot16(b, q, Numerics.Dot16(a, p, init));
}
