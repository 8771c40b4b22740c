using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>Q4_0 on GPUs. Quants: [row][chunk], byte i holds weight i (low nibble) and i + 16 (high); Scales: [row][chunk], float16.</summary>
internal readonly struct DeviceQ4_0 : IPackedFormat, IQuantizedFormat
{
    public static TensorType Type => TensorType.Q4_0;
    public static bool HasMin => false;
    public static bool HasHighScale => false;
    public static PackedSizes Sizes(int rows, int columns) => new((long)rows * columns / 32, 1, (long)rows * columns / 32, 1);

    public static unsafe void PackRow(ReadOnlySpan<byte> blocks, in PackedHost packed, int row)
    {
        long chunks = packed.Columns / 32;
        for (int c = 0; c < chunks; c++, blocks = blocks[18..])
        {
            packed.Scales[row * chunks + c] = MemoryMarshal.Read<ushort>(blocks);
            packed.Quants[row * chunks + c] = PackedHost.Words(blocks[2..]);
        }
    }

    public static WeightChunk Load<TIsa>(PackedMatrix w, int row, int chunk) where TIsa : struct, IIsa
    {
        long at = (long)row * w.Chunks + chunk;
        UInt4 nibbles = w.Quants[at];
        return new() { Low = UInt4.LowNibbles(nibbles), High = UInt4.HighNibbles(nibbles), Scale = TIsa.Half(w.Scales[at]), Zero = -8 };
    }

    public static float Element<TIsa>(PackedMatrix w, int row, int column) where TIsa : struct, IIsa =>
        Quantized.Element(Load<TIsa>(w, row, column >> 5), column & 31, HasHighScale);
}
