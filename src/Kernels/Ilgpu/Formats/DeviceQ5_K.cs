using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// Q5_K on GPUs: Quants and Headers as in Q4_K; Bits: [row][chunk] the fifth bits: bit 8k + 4h + j is that of weight 4j + k of half h, so that a shift
/// by 4h + j brings those of one word of quants to the lowest bits of its bytes.
/// </summary>
internal readonly struct DeviceQ5_K : IPackedFormat, IQuantizedFormat
{
    public static TensorType Type => TensorType.Q5_K;
    public static bool HasMin => true;
    public static bool HasHighScale => false;
    public static PackedSizes Sizes(int rows, int columns) => new((long)rows * columns / 32, (long)rows * columns / 32, 1, (long)rows * columns / 256);

    public static unsafe void PackRow(ReadOnlySpan<byte> blocks, in PackedHost packed, int row)
    {
        long chunks = packed.Columns / 32, supers = packed.Columns / 256;
        for (int s = 0; s < supers; s++, blocks = blocks[176..])
        {
            packed.Headers[row * supers + s] = PackedHost.Words(blocks);
            for (int j = 0; j < 8; j++)
            {
                long chunk = row * chunks + s * 8 + j;
                packed.Quants[chunk] = DeviceQ4_K.Nibbles(blocks[48..], j);
                uint bits = 0;
                for (int i = 0; i < 32; i++) bits |= (uint)(blocks[16 + i] >> j & 1) << (i % 4 * 8 + i / 16 * 4 + i % 16 / 4);
                packed.Bits[chunk] = bits;
            }
        }
    }

    public static WeightChunk Load<TIsa>(PackedMatrix w, int row, int chunk) where TIsa : struct, IIsa
    {
        WeightChunk k = DeviceQ4_K.Load<TIsa>(w, row, chunk);
        uint bits = w.Bits[(long)row * w.Chunks + chunk];
        k.Low = Fifth(k.Low, bits);
        k.High = Fifth(k.High, bits >> 4);
        return k;
    }

    public static float Element<TIsa>(PackedMatrix w, int row, int column) where TIsa : struct, IIsa =>
        Quantized.Element(Load<TIsa>(w, row, column >> 5), column & 31, HasHighScale);

    private static UInt4 Fifth(UInt4 nibbles, uint bits) => new()
    {
        X = nibbles.X | ((bits & 0x01010101u) << 4),
        Y = nibbles.Y | (((bits >> 1) & 0x01010101u) << 4),
        Z = nibbles.Z | (((bits >> 2) & 0x01010101u) << 4),
        W = nibbles.W | (((bits >> 3) & 0x01010101u) << 4),
    };
}
