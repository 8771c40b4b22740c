using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>Q8_0 on GPUs. Quants: [row][2 planes][chunk], signed bytes; Scales: [row][chunk], float16.</summary>
internal readonly struct DeviceQ8_0 : IPackedFormat, IQuantizedFormat
{
    public static TensorType Type => TensorType.Q8_0;
    public static bool HasMin => false;
    public static bool HasHighScale => false;
    public static PackedSizes Sizes(int rows, int columns) => new((long)rows * columns / 16, 1, (long)rows * columns / 32, 1);

    public static unsafe void PackRow(ReadOnlySpan<byte> blocks, in PackedHost packed, int row)
    {
        long chunks = packed.Columns / 32;
        for (int c = 0; c < chunks; c++, blocks = blocks[34..])
        {
            packed.Scales[row * chunks + c] = MemoryMarshal.Read<ushort>(blocks);
            packed.Quants[row * 2 * chunks + c] = PackedHost.Words(blocks[2..]);
            packed.Quants[(row * 2 + 1) * chunks + c] = PackedHost.Words(blocks[18..]);
        }
    }

    public static WeightChunk Load<TIsa>(PackedMatrix w, int row, int chunk) where TIsa : struct, IIsa
    {
        long at = (long)row * 2 * w.Chunks + chunk;
        return new() { Low = w.Quants[at], High = w.Quants[at + w.Chunks], Scale = TIsa.Half(w.Scales[(long)row * w.Chunks + chunk]) };
    }

    public static float Element<TIsa>(PackedMatrix w, int row, int column) where TIsa : struct, IIsa =>
        Quantized.Element(Load<TIsa>(w, row, column >> 5), column & 31, HasHighScale);
}
