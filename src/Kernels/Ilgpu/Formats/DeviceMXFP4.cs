using ILGPU;

namespace Inference.Kernels;

/// <summary>MXFP4 on GPUs. Quants: [row][chunk] with nibbles as in Q4_0; Bits: [row][chunks / 4] the exponents of four chunks to a word.</summary>
internal readonly struct DeviceMXFP4 : IPackedFormat, IQuantizedFormat
{
    public static TensorType Type => TensorType.MXFP4;
    public static bool HasMin => false;
    public static bool HasHighScale => false;
    public static PackedSizes Sizes(int rows, int columns) => new((long)rows * columns / 32, rows * Words(columns / 32), 1, 1);

    public static unsafe void PackRow(ReadOnlySpan<byte> blocks, in PackedHost packed, int row)
    {
        int chunks = packed.Columns / 32;
        var exponents = new Span<byte>(packed.Bits + row * Words(chunks), (int)Words(chunks) * 4);
        exponents.Clear();
        for (int c = 0; c < chunks; c++, blocks = blocks[17..])
        {
            exponents[c] = blocks[0];
            packed.Quants[(long)row * chunks + c] = PackedHost.Words(blocks[1..]);
        }
    }

    public static WeightChunk Load<TIsa>(PackedMatrix w, int row, int chunk) where TIsa : struct, IIsa
    {
        UInt4 nibbles = w.Quants[(long)row * w.Chunks + chunk], floats = DoubledFloats();
        uint e = (w.Bits[row * Words(w.Chunks) + (chunk >> 2)] >> ((chunk & 3) * 8)) & 255u;
        return new()
        {
            Low = UInt4.Lookup<TIsa>(floats, UInt4.LowNibbles(nibbles)),
            High = UInt4.Lookup<TIsa>(floats, UInt4.HighNibbles(nibbles)),
            Scale = Interop.IntAsFloat(e < 2u ? 0x00200000u << (int)e : (e - 1u) << 23), // as MXFP4Format.HalfScale
        };
    }

    public static float Element<TIsa>(PackedMatrix w, int row, int column) where TIsa : struct, IIsa =>
        Quantized.Element(Load<TIsa>(w, row, column >> 5), column & 31, HasHighScale);

    private static long Words(int chunks) => (chunks + 3) >> 2;

    /// <summary><see cref="MXFP4Format.DoubledFloats"/> as the bytes of four words.</summary>
    public static UInt4 DoubledFloats() => new() { X = 0x03020100u, Y = 0x0c080604u, Z = 0xfdfeff00u, W = 0xf4f8fafcu };
}
