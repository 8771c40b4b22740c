namespace Inference.Kernels;

/// <summary>Blocks as <see cref="Q3_KFormat"/> says.</summary>
internal readonly struct StoredQ3_K : IStoredFormat
{
    public static TensorType Type => TensorType.Q3_K;
    public static int BlockElements => 256;
    public static int BlockBytes => 110;
    public static bool HasMin => false;

    public static uint Quants<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa
    {
        uint third = block.Word32((i & 7) * 4) >> (i >> 3) & 0x01010101u;
        return FourBytes.Add(StoredQ2_K.Pairs(block, 32, i) | third << 2, 0xfcfcfcfcu); // - 4
    }

    public static ScaleMin Scale<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa
    {
        int low = block.Byte(96 + (i & 7)) >> (i >> 3) * 4 & 15, high = block.Byte(104 + (i & 3)) >> (i >> 2) * 2 & 3;
        return new() { Scale = block.Half<TIsa>(108) * ((low | high << 4) - 32) };
    }
}
