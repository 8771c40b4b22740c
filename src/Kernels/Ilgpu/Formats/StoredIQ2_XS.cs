namespace Inference.Kernels;

/// <summary>Blocks as <see cref="IQ2_XSFormat"/> says.</summary>
internal readonly struct StoredIQ2_XS : IStoredFormat
{
    public static TensorType Type => TensorType.IQ2_XS;
    public static int BlockElements => 256;
    public static int BlockBytes => 74;
    public static bool HasMin => false;

    public static uint Quants<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa
    {
        int word = block.Word16(2 + (i >> 1) * 2);
        uint entry = block.Codebooks[DeviceCodebooks.IQ2_XS + (word & 511) * 2 + (i & 1)];
        return FourBytes.Negate(entry, DeviceCodebooks.EvenSigns((uint)word >> 9) >> (i & 1) * 4);
    }

    public static ScaleMin Scale<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa =>
        new() { Scale = block.Half<TIsa>(0) * (0.5f + (block.Byte(66 + (i >> 1)) >> (i & 1) * 4 & 15)) * 0.25f };
}
