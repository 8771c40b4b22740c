using ILGPU;

namespace Inference.Kernels;

/// <summary>Number formats and roundings by integer arithmetic: the same bits on every device, with or without float16 and denormals.</summary>
internal static class Numerics
{
    /// <summary>float16 bits to float32. Subnormals go through an integer, so that flushing to zero cannot touch them.</summary>
    public static float HalfToFloat(uint h)
    {
        uint exponent = h & 0x7c00u, mantissa = h & 0x3ffu, moved = (h & 0x7fffu) << 13;
        uint subnormal = Interop.FloatAsInt((int)mantissa * 5.9604644775390625e-8f); // mantissa * 2^-24, exact and normal
        uint bits = exponent == 0u ? subnormal : moved + (exponent == 0x7c00u ? 0x70000000u : 0x38000000u);
        return Interop.IntAsFloat(bits | ((h & 0x8000u) << 16));
    }

    /// <summary>float32 to float16 bits, nearest even, overflow to infinity.</summary>
    public static uint FloatToHalf(float value)
    {
        uint bits = Interop.FloatAsInt(value), sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7fffffffu;
        if (magnitude > 0x7f800000u) return sign | 0x7e00u;
        if (magnitude >= 0x47800000u) return sign | 0x7c00u;
        if (magnitude < 0x38800000u) // below 2^-14: a multiple of 2^-24
        {
            if (magnitude < 0x33000000u) return sign;
            int shift = 126 - (int)(magnitude >> 23);
            uint mantissa = (magnitude & 0x7fffffu) | 0x800000u, quotient = mantissa >> shift;
            uint rest = mantissa & ((1u << shift) - 1u), half = 1u << (shift - 1);
            if (rest > half || (rest == half && (quotient & 1u) != 0u)) quotient++;
            return sign | quotient;
        }
        uint rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
        return sign | ((rounded - 0x38000000u) >> 13);
    }

    /// <summary>Four bytes of a table of 16, chosen by the bytes of <paramref name="indices"/>, 0-15 each.</summary>
    public static uint Lookup(UInt4 table, uint indices) =>
        (uint)((UInt4.SByteAt(table, (int)(indices & 15u)) & 255) | (UInt4.SByteAt(table, (int)((indices >> 8) & 15u)) & 255) << 8
            | (UInt4.SByteAt(table, (int)((indices >> 16) & 15u)) & 255) << 16 | UInt4.SByteAt(table, (int)((indices >> 24) & 15u)) << 24);

    /// <summary>Four of eight bytes, low ones first, chosen by the nibbles of <paramref name="selector"/>, 0-7 each.</summary>
    public static uint Permute(uint low, uint high, uint selector)
    {
        ulong bytes = low | (ulong)high << 32;
        uint result = 0;
        for (int i = 0; i < 4; i++) result |= (uint)(bytes >> (int)((selector >> (4 * i)) & 7u) * 8 & 255) << (8 * i);
        return result;
    }

    /// <summary>float32 to bfloat16 bits, nearest even; NaN stays NaN.</summary>
    public static uint FloatToBrain(float value)
    {
        uint bits = Interop.FloatAsInt(value), rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
        return ((bits & 0x7fffffffu) > 0x7f800000u ? bits | 0x400000u : rounded) >> 16;
    }

    /// <summary>acc + the dot product of four signed bytes.</summary>
    public static int Dot4(uint a, uint b, int acc) =>
        acc + ((int)a << 24 >> 24) * ((int)b << 24 >> 24) + ((int)a << 16 >> 24) * ((int)b << 16 >> 24)
            + ((int)a << 8 >> 24) * ((int)b << 8 >> 24) + ((int)a >> 24) * ((int)b >> 24);

    /// <summary>acc + the dot product of 16 signed bytes.</summary>
    public static int Dot16(UInt4 a, UInt4 b, int acc) => Dot4(a.W, b.W, Dot4(a.Z, b.Z, Dot4(a.Y, b.Y, Dot4(a.X, b.X, acc))));

    /// <summary>
    /// Rounds |value| &lt;= 127 half to even by adding 1.5 * 2^23. The clamp changes no result; it keeps the compiler from fusing the product that
    /// made <paramref name="value"/> with the addition, which would round once where the reference rounds twice.
    /// </summary>
    public static int RoundToInt(float value) => (int)Interop.FloatAsInt(Math.Min(Math.Max(value, -127f), 127f) + 12582912f) - 0x4B400000;
}
