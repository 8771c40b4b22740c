namespace Inference.Kernels;

/// <summary>Blocks as <see cref="Q2_KFormat"/> says.</summary>
internal readonly struct StoredQ2_K : IStoredFormat
{
    public static TensorType Type => TensorType.Q2_K;
    public static int BlockElements => 256;
    public static int BlockBytes => 84;
    public static bool HasMin => true;

    public static uint Quants<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa => Pairs(block, 16, i);

    public static ScaleMin Scale<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa
    {
        int scales = block.Byte(i);
        return new() { Scale = block.Half<TIsa>(80) * (scales & 15), Min = block.Half<TIsa>(82) * (scales >> 4) };
    }

    /// <summary>Bit pairs of weights 4i .. 4i + 3 out of 64 bytes from <paramref name="start"/>: each half of 128 weights has 32 bytes, which hold four runs of 32.</summary>
    public static uint Pairs(StoredBlock block, int start, int i) => block.Word32(start + (i >> 5) * 32 + (i & 7) * 4) >> ((i >> 3) & 3) * 2 & 0x03030303u;
}
