using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// Q4_K on GPUs. Quants: [row][chunk] with nibbles as in Q4_0; Headers: [row][256 weights]: X = float16 d and dmin, Y, Z, W = the file's twelve
/// bytes of 6-bit scales and mins.
/// </summary>
internal readonly struct DeviceQ4_K : IPackedFormat, IQuantizedFormat
{
    public static TensorType Type => TensorType.Q4_K;
    public static bool HasMin => true;
    public static bool HasHighScale => false;
    public static PackedSizes Sizes(int rows, int columns) => new((long)rows * columns / 32, 1, 1, (long)rows * columns / 256);

    public static unsafe void PackRow(ReadOnlySpan<byte> blocks, in PackedHost packed, int row)
    {
        long chunks = packed.Columns / 32, supers = packed.Columns / 256;
        for (int s = 0; s < supers; s++, blocks = blocks[144..])
        {
            packed.Headers[row * supers + s] = PackedHost.Words(blocks);
            for (int j = 0; j < 8; j++) packed.Quants[row * chunks + s * 8 + j] = Nibbles(blocks[16..], j);
        }
    }

    /// <summary>Host: the nibbles of sub-block <paramref name="j"/> out of a block's 128 bytes, placed as in Q4_0.</summary>
    public static UInt4 Nibbles(ReadOnlySpan<byte> runs, int j)
    {
        ReadOnlySpan<byte> run = runs.Slice(j / 2 * 32, 32);
        Span<byte> nibbles = stackalloc byte[16];
        int shift = j % 2 * 4;
        for (int i = 0; i < 16; i++) nibbles[i] = (byte)(run[i] >> shift & 15 | (run[i + 16] >> shift & 15) << 4);
        return PackedHost.Words(nibbles);
    }

    public static WeightChunk Load<TIsa>(PackedMatrix w, int row, int chunk) where TIsa : struct, IIsa
    {
        long at = (long)row * w.Chunks + chunk;
        UInt4 nibbles = w.Quants[at], header = w.Headers[at >> 3];
        uint pair = ScaleAndMin(header, chunk & 7);
        return new()
        {
            Low = UInt4.LowNibbles(nibbles),
            High = UInt4.HighNibbles(nibbles),
            Scale = TIsa.Half(header.X & 0xffffu) * (int)(pair & 63u),
            Min = TIsa.Half(header.X >> 16) * (int)(pair >> 8),
        };
    }

    public static float Element<TIsa>(PackedMatrix w, int row, int column) where TIsa : struct, IIsa =>
        Quantized.Element(Load<TIsa>(w, row, column >> 5), column & 31, HasHighScale);

    /// <summary>
    /// 6-bit scale | 6-bit min &lt;&lt; 8 of sub-block j. Y holds scales 0-3 and Z mins 0-3 in the lower six bits of their bytes; W holds the lower
    /// nibbles of 4-7 (scale low, min high), whose upper two bits are the upper bits of Y and Z.
    /// </summary>
    private static uint ScaleAndMin(UInt4 header, int j)
    {
        int shift = (j & 3) * 8;
        uint s = header.Y >> shift, m = header.Z >> shift, n = header.W >> shift;
        return j < 4 ? (s & 63u) | ((m & 63u) << 8)
            : ((n & 15u) | ((s >> 2) & 48u)) | ((((n >> 4) & 15u) | ((m >> 2) & 48u)) << 8);
    }
}
