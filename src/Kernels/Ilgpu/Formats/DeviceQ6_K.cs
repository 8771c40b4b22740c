using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// Q6_K on GPUs. Quants: [row][chunk], the lower four bits as in Q4_0; Bits: [row][2 planes][chunk], the upper two: word j of plane p holds, at bit
/// 2i of each byte, those of word i of half p; Scales: [row][chunk] the int8 scales of both halves, then [row][256 weights] float16 d.
/// </summary>
internal readonly struct DeviceQ6_K : IPackedFormat, IQuantizedFormat
{
    public static TensorType Type => TensorType.Q6_K;
    public static bool HasMin => false;
    public static bool HasHighScale => true;

    public static PackedSizes Sizes(int rows, int columns) =>
        new((long)rows * columns / 32, (long)rows * columns / 16, (long)rows * columns / 32 + (long)rows * columns / 256, 1);

    public static unsafe void PackRow(ReadOnlySpan<byte> blocks, in PackedHost packed, int row)
    {
        long chunks = packed.Columns / 32, supers = packed.Columns / 256;
        Span<byte> nibbles = stackalloc byte[16];
        for (int s = 0; s < supers; s++, blocks = blocks[210..])
        {
            packed.Scales[packed.Rows * chunks + row * supers + s] = MemoryMarshal.Read<ushort>(blocks[208..]);
            for (int j = 0; j < 8; j++)
            {
                long chunk = s * 8 + j;
                uint low = 0, high = 0;
                for (int i = 0; i < 16; i++)
                {
                    int first = Q6_KFormat.Quant(blocks, j * 32 + i), second = Q6_KFormat.Quant(blocks, j * 32 + 16 + i);
                    nibbles[i] = (byte)(first & 15 | (second & 15) << 4);
                    int at = i % 4 * 8 + i / 4 * 2;
                    low |= (uint)(first >> 4) << at;
                    high |= (uint)(second >> 4) << at;
                }
                packed.Quants[row * chunks + chunk] = PackedHost.Words(nibbles);
                packed.Bits[row * 2 * chunks + chunk] = low;
                packed.Bits[(row * 2 + 1) * chunks + chunk] = high;
                packed.Scales[row * chunks + chunk] = MemoryMarshal.Read<ushort>(blocks[(192 + j * 2)..]);
            }
        }
    }

    public static WeightChunk Load<TIsa>(PackedMatrix w, int row, int chunk) where TIsa : struct, IIsa
    {
        long at = (long)row * w.Chunks + chunk, plane = (long)row * 2 * w.Chunks + chunk;
        UInt4 nibbles = w.Quants[at];
        int scales = w.Scales[at];
        float d = TIsa.Half(w.Scales[(long)w.Rows * w.Chunks + (at >> 3)]);
        return new()
        {
            Low = Signed(UInt4.LowNibbles(nibbles), w.Bits[plane]),
            High = Signed(UInt4.HighNibbles(nibbles), w.Bits[plane + w.Chunks]),
            Scale = d * (scales << 24 >> 24),
            HighScale = d * (scales << 16 >> 24),
        };
    }

    public static float Element<TIsa>(PackedMatrix w, int row, int column) where TIsa : struct, IIsa =>
        Quantized.Element(Load<TIsa>(w, row, column >> 5), column & 31, HasHighScale);

    private static UInt4 Signed(UInt4 nibbles, uint bits) =>
        new() { X = Signed(nibbles.X, bits), Y = Signed(nibbles.Y, bits >> 2), Z = Signed(nibbles.Z, bits >> 4), W = Signed(nibbles.W, bits >> 6) };

    /// <summary>Four quants q of 6 bits as the signed bytes q - 32: turning bit 5 over subtracts 32 in two's complement of six bits, then bit 5 fills 6 and 7.</summary>
    private static uint Signed(uint nibbles, uint bits)
    {
        uint value = (nibbles | ((bits & 0x03030303u) << 4)) ^ 0x20202020u, sign = value & 0x20202020u;
        return value | (sign << 1) | (sign << 2);
    }
}
