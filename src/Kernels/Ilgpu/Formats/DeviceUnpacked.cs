using ILGPU;

namespace Inference.Kernels;

/// <summary>
/// What rows of stored formats are decoded to, in scratch memory: any format fits. Quants: [row][2 planes][chunk], signed bytes; Headers: [row][chunk]
/// the bits of scale, min, high scale, high min. 48 bytes a chunk.
/// </summary>
/// <typeparam name="THasMin">1 where mins are not all zero: they cost a product as much as the quants do.</typeparam>
internal readonly struct DeviceUnpacked<THasMin> : IQuantizedFormat where THasMin : struct, IConst
{
    public static bool HasMin => THasMin.Value != 0;
    public static bool HasHighScale => true;

    public static WeightChunk Load<TIsa>(PackedMatrix w, int row, int chunk) where TIsa : struct, IIsa
    {
        long at = (long)row * 2 * w.Chunks + chunk;
        UInt4 header = w.Headers[(long)row * w.Chunks + chunk];
        return new()
        {
            Low = w.Quants[at],
            High = w.Quants[at + w.Chunks],
            Scale = Interop.IntAsFloat(header.X),
            Min = Interop.IntAsFloat(header.Y),
            HighScale = Interop.IntAsFloat(header.Z),
            HighMin = Interop.IntAsFloat(header.W),
        };
    }

    public static float Element<TIsa>(PackedMatrix w, int row, int column) where TIsa : struct, IIsa =>
        Quantized.Element(Load<TIsa>(w, row, column >> 5), column & 31, HasHighScale);
}
