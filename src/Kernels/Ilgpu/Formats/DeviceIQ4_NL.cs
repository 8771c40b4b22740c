namespace Inference.Kernels;

/// <summary>IQ4_NL on GPUs: packed as Q4_0, nibbles looked up.</summary>
internal readonly struct DeviceIQ4_NL : IPackedFormat, IQuantizedFormat
{
    public static TensorType Type => TensorType.IQ4_NL;
    public static bool HasMin => false;
    public static bool HasHighScale => false;
    public static PackedSizes Sizes(int rows, int columns) => DeviceQ4_0.Sizes(rows, columns);
    public static void PackRow(ReadOnlySpan<byte> blocks, in PackedHost packed, int row) => DeviceQ4_0.PackRow(blocks, packed, row);

    public static WeightChunk Load<TIsa>(PackedMatrix w, int row, int chunk) where TIsa : struct, IIsa
    {
        long at = (long)row * w.Chunks + chunk;
        UInt4 nibbles = w.Quants[at], steps = Steps();
        return new()
        {
            Low = UInt4.Lookup<TIsa>(steps, UInt4.LowNibbles(nibbles)),
            High = UInt4.Lookup<TIsa>(steps, UInt4.HighNibbles(nibbles)),
            Scale = TIsa.Half(w.Scales[at]),
        };
    }

    public static float Element<TIsa>(PackedMatrix w, int row, int column) where TIsa : struct, IIsa =>
        Quantized.Element(Load<TIsa>(w, row, column >> 5), column & 31, HasHighScale);

    /// <summary><see cref="IQ4_NLFormat.Steps"/> as the bytes of four words.</summary>
    public static UInt4 Steps() => new() { X = 0xbfad9881u, Y = 0xf6eaddcfu, Z = 0x26190d01u, W = 0x71594535u };
}
