namespace Inference.Kernels;

/// <summary>Blocks as <see cref="IQ3_SFormat"/> says.</summary>
internal readonly struct StoredIQ3_S : IStoredFormat
{
    public static TensorType Type => TensorType.IQ3_S;
    public static int BlockElements => 256;
    public static int BlockBytes => 110;
    public static bool HasMin => false;

    public static uint Quants<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa
    {
        int index = block.Byte(2 + i) | (block.Byte(66 + (i >> 3)) >> (i & 7) & 1) << 8;
        return FourBytes.Negate(block.Codebooks[DeviceCodebooks.IQ3_S + index], block.Byte(74 + (i >> 1)) >> (i & 1) * 4);
    }

    public static ScaleMin Scale<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa =>
        new() { Scale = block.Half<TIsa>(0) * (1 + 2 * (block.Byte(106 + (i >> 2)) >> ((i >> 1) & 1) * 4 & 15)) };
}
