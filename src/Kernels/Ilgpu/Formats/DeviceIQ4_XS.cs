using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// IQ4_XS on GPUs. Quants: [row][chunk] with nibbles as in Q4_0; Bits: [row][256 weights][2]: float16 d and the upper scale bits, then the lower scale nibbles.
/// </summary>
internal readonly struct DeviceIQ4_XS : IPackedFormat, IQuantizedFormat
{
    public static TensorType Type => TensorType.IQ4_XS;
    public static bool HasMin => false;
    public static bool HasHighScale => false;
    public static PackedSizes Sizes(int rows, int columns) => new((long)rows * columns / 32, (long)rows * columns / 128, 1, 1);

    public static unsafe void PackRow(ReadOnlySpan<byte> blocks, in PackedHost packed, int row)
    {
        long supers = packed.Columns / 256, first = row * supers;
        for (long s = first; s < first + supers; s++, blocks = blocks[136..])
        {
            packed.Bits[s * 2] = MemoryMarshal.Read<uint>(blocks);
            packed.Bits[s * 2 + 1] = MemoryMarshal.Read<uint>(blocks[4..]);
            for (int j = 0; j < 8; j++) packed.Quants[s * 8 + j] = PackedHost.Words(blocks[(8 + j * 16)..]);
        }
    }

    public static WeightChunk Load<TIsa>(PackedMatrix w, int row, int chunk) where TIsa : struct, IIsa
    {
        long at = (long)row * w.Chunks + chunk, header = (at >> 3) * 2;
        UInt4 nibbles = w.Quants[at], steps = DeviceIQ4_NL.Steps();
        uint upper = w.Bits[header], lower = w.Bits[header + 1];
        int j = chunk & 7, scale = (int)(((lower >> (4 * j)) & 15u) | (((upper >> (16 + 2 * j)) & 3u) << 4));
        return new()
        {
            Low = UInt4.Lookup<TIsa>(steps, UInt4.LowNibbles(nibbles)),
            High = UInt4.Lookup<TIsa>(steps, UInt4.HighNibbles(nibbles)),
            Scale = TIsa.Half(upper & 0xffffu) * (scale - 32),
        };
    }

    public static float Element<TIsa>(PackedMatrix w, int row, int column) where TIsa : struct, IIsa =>
        Quantized.Element(Load<TIsa>(w, row, column >> 5), column & 31, HasHighScale);
}
