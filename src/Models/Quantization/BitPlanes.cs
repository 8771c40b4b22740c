namespace Inference.Models;

/// <summary>How 256 codes and the factors of their sub-blocks lie in the bytes of K-quants.</summary>
internal static class BitPlanes
{
    /// <summary>The low bit pairs: byte l of each half's 32 holds those of weights l, l + 32, l + 64 and l + 96, from the lowest bits up.</summary>
    public static void PackPairs(ReadOnlySpan<byte> codes, Span<byte> bytes)
    {
        for (int half = 0; half < 2; half++)
        {
            ReadOnlySpan<byte> c = codes.Slice(half * 128, 128);
            for (int l = 0; l < 32; l++) bytes[half * 32 + l] = (byte)(c[l] & 3 | (c[l + 32] & 3) << 2 | (c[l + 64] & 3) << 4 | (c[l + 96] & 3) << 6);
        }
    }

    /// <summary>One bit of each code: bit j of byte l is that of weight 32j + l.</summary>
    public static void PackBits(ReadOnlySpan<byte> codes, int bit, Span<byte> bytes)
    {
        for (int l = 0; l < 32; l++)
        {
            int bits = 0;
            for (int j = 0; j < 8; j++) bits |= (codes[j * 32 + l] >> bit & 1) << j;
            bytes[l] = (byte)bits;
        }
    }

    /// <summary>Low nibbles: each run of 32 bytes holds sub-block 2c in its low and 2c + 1 in its high nibbles.</summary>
    public static void PackNibbles(ReadOnlySpan<byte> codes, Span<byte> bytes)
    {
        for (int i = 0; i < 128; i++)
        {
            int at = i / 32 * 64 + i % 32;
            bytes[i] = (byte)(codes[at] & 15 | codes[at + 32] << 4);
        }
    }

    /// <summary>Eight 6-bit factors of the scale and eight of the min in 12 bytes; the way back of <see cref="Kernels.Q4_KFormat.ScaleAndMin"/>.</summary>
    public static void PackFactors(ReadOnlySpan<byte> factors, ReadOnlySpan<byte> minFactors, Span<byte> packed)
    {
        for (int j = 0; j < 4; j++)
        {
            packed[j] = (byte)(factors[j] | factors[j + 4] >> 4 << 6);
            packed[j + 4] = (byte)(minFactors[j] | minFactors[j + 4] >> 4 << 6);
            packed[j + 8] = (byte)(factors[j + 4] & 15 | minFactors[j + 4] << 4);
        }
    }
}
