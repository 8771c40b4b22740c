namespace Inference.Kernels;

/// <summary>Blocks as <see cref="IQ2_SFormat"/> says.</summary>
internal readonly struct StoredIQ2_S : IStoredFormat
{
    public static TensorType Type => TensorType.IQ2_S;
    public static int BlockElements => 256;
    public static int BlockBytes => 82;
    public static bool HasMin => false;

    public static uint Quants<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa
    {
        int group = i >> 1, index = block.Byte(2 + group) | (block.Byte(66 + (i >> 3)) >> (group & 3) * 2 & 3) << 8;
        return FourBytes.Negate(block.Codebooks[DeviceCodebooks.IQ2_S + index * 2 + (i & 1)], block.Byte(34 + group) >> (i & 1) * 4);
    }

    public static ScaleMin Scale<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa =>
        new() { Scale = block.Half<TIsa>(0) * (0.5f + (block.Byte(74 + (i >> 1)) >> (i & 1) * 4 & 15)) * 0.25f };
}
