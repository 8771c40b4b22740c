using ILGPU;

namespace Inference.Kernels;

/// <summary>16 bytes: a view of these is read by one 128-bit load on every device.</summary>
internal struct UInt4
{
    public uint X, Y, Z, W;

    /// <summary>The low nibble of every byte.</summary>
    public static UInt4 LowNibbles(UInt4 v) => new() { X = v.X & 0x0f0f0f0fu, Y = v.Y & 0x0f0f0f0fu, Z = v.Z & 0x0f0f0f0fu, W = v.W & 0x0f0f0f0fu };

    /// <summary>The high nibble of every byte.</summary>
    public static UInt4 HighNibbles(UInt4 v) =>
        new() { X = (v.X >> 4) & 0x0f0f0f0fu, Y = (v.Y >> 4) & 0x0f0f0f0fu, Z = (v.Z >> 4) & 0x0f0f0f0fu, W = (v.W >> 4) & 0x0f0f0f0fu };

    /// <summary>Every byte looked up in a table of 16.</summary>
    public static UInt4 Lookup<TIsa>(UInt4 table, UInt4 indices) where TIsa : struct, IIsa => new()
    {
        X = TIsa.Lookup(table, indices.X),
        Y = TIsa.Lookup(table, indices.Y),
        Z = TIsa.Lookup(table, indices.Z),
        W = TIsa.Lookup(table, indices.W),
    };

    /// <summary>Signed byte <paramref name="i"/> (0-15). Selects instead of indexing, which would go through memory.</summary>
    public static int SByteAt(UInt4 v, int i)
    {
        uint word = i < 8 ? (i < 4 ? v.X : v.Y) : (i < 12 ? v.Z : v.W);
        return (int)word << (24 - (i & 3) * 8) >> 24;
    }
}

/// <summary>Four floats in registers: the fields of a struct become scalars, unlike the elements of an array.</summary>
internal struct Float4
{
    public float X, Y, Z, W;

    public static Float4 FromBits(UInt4 bits) =>
        new() { X = Interop.IntAsFloat(bits.X), Y = Interop.IntAsFloat(bits.Y), Z = Interop.IntAsFloat(bits.Z), W = Interop.IntAsFloat(bits.W) };

    /// <summary>s * v + acc in each element.</summary>
    public static Float4 MulAdd<TIsa>(float s, Float4 v, Float4 acc) where TIsa : struct, IIsa =>
        new() { X = TIsa.Fma(s, v.X, acc.X), Y = TIsa.Fma(s, v.Y, acc.Y), Z = TIsa.Fma(s, v.Z, acc.Z), W = TIsa.Fma(s, v.W, acc.W) };

    /// <summary>a * b + acc in each element.</summary>
    public static Float4 MulAdd<TIsa>(Float4 a, Float4 b, Float4 acc) where TIsa : struct, IIsa =>
        new() { X = TIsa.Fma(a.X, b.X, acc.X), Y = TIsa.Fma(a.Y, b.Y, acc.Y), Z = TIsa.Fma(a.Z, b.Z, acc.Z), W = TIsa.Fma(a.W, b.W, acc.W) };

    /// <summary>acc + a . b, one element after the other.</summary>
    public static float Dot<TIsa>(Float4 a, Float4 b, float acc) where TIsa : struct, IIsa => TIsa.Fma(a.W, b.W, TIsa.Fma(a.Z, b.Z, TIsa.Fma(a.Y, b.Y, TIsa.Fma(a.X, b.X, acc))));

    public static Float4 operator +(Float4 a, Float4 b) => new() { X = a.X + b.X, Y = a.Y + b.Y, Z = a.Z + b.Z, W = a.W + b.W };
}

/// <summary>Eight neighbouring floats: the unit in which float weights, keys and values are loaded.</summary>
internal struct Float8
{
    public Float4 Low, High;

    public static Float8 MulAdd<TIsa>(float s, Float8 v, Float8 acc) where TIsa : struct, IIsa =>
        new() { Low = Float4.MulAdd<TIsa>(s, v.Low, acc.Low), High = Float4.MulAdd<TIsa>(s, v.High, acc.High) };
}
