namespace Inference.Kernels;

/// <summary>
/// The quantised types of K and V: blocks of 32 dims of one head and token, a float16 scale and integers. value = scale * q, exact in float32 (11 and 8 bits),
/// so a page reads the same on every device. The integers are rounded against the scale as it is stored.
/// </summary>
internal static class KvBlock
{
    /// <summary>Dims of a block.</summary>
    public const int Dims = 32;

    /// <summary>scale = max|x| / 127, q = round-half-to-even(x / scale) in -127..127.</summary>
    /// <param name="x">[32]</param>
    /// <param name="quants">[32]</param>
    /// <returns>float16 bits of the scale.</returns>
    public static ushort Quantize8(ReadOnlySpan<float> x, Span<sbyte> quants)
    {
        float max = 0;
        foreach (float value in x[..Dims]) max = Math.Max(max, Math.Abs(value));
        ushort scale = Half16.FromSingle(max / 127f);
        float inverse = Inverse(scale);
        for (int i = 0; i < Dims; i++) quants[i] = (sbyte)Math.Clamp(MathF.Round(x[i] * inverse), -127f, 127f);
        return scale;
    }

    /// <summary>
    /// scale = x[m] / -8, m the first element of the largest magnitude; q = floor(x / scale + 8.5) - 8 in -8..7: the extreme is hit exactly, as in ggml's Q4_0.
    /// </summary>
    /// <inheritdoc cref="Quantize8"/>
    public static ushort Quantize4(ReadOnlySpan<float> x, Span<sbyte> quants)
    {
        float extreme = 0;
        foreach (float value in x[..Dims])
            if (Math.Abs(value) > Math.Abs(extreme)) extreme = value;
        ushort scale = Half16.FromSingle(extreme / -8f);
        float inverse = Inverse(scale);
        for (int i = 0; i < Dims; i++) quants[i] = (sbyte)(Math.Clamp(MathF.Floor(x[i] * inverse + 8.5f), 0f, 15f) - 8f);
        return scale;
    }

    /// <summary>What a page gives back of one head: <paramref name="from"/> rounded to the type.</summary>
    public static void Round(ReadOnlySpan<float> from, Span<float> to, KvType type)
    {
        Span<sbyte> quants = stackalloc sbyte[Dims];
        for (int i = 0; i < from.Length; i += Dims)
        {
            float scale = Half16.ToSingle(type == KvType.Q8_0 ? Quantize8(from[i..], quants) : Quantize4(from[i..], quants));
            for (int j = 0; j < Dims; j++) to[i + j] = scale * quants[j];
        }
    }

    private static float Inverse(ushort scale) => (scale & 0x7fff) == 0 ? 0 : 1 / Half16.ToSingle(scale);
}

/// <summary>bfloat16 as bits.</summary>
internal static class Brain16
{
    /// <summary>Rounds to the nearest bfloat16, ties to even; NaN stays NaN.</summary>
    public static ushort FromSingle(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)(float.IsNaN(value) ? bits >> 16 | 0x40 : (bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
    }

    public static float ToSingle(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);
}
