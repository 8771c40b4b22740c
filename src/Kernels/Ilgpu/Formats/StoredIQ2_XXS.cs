namespace Inference.Kernels;

/// <summary>Blocks as <see cref="IQ2_XXSFormat"/> says.</summary>
internal readonly struct StoredIQ2_XXS : IStoredFormat
{
    public static TensorType Type => TensorType.IQ2_XXS;
    public static int BlockElements => 256;
    public static int BlockBytes => 66;
    public static bool HasMin => false;

    public static uint Quants<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa
    {
        int sub = 2 + (i >> 3) * 8, group = (i >> 1) & 3;
        uint entry = block.Codebooks[DeviceCodebooks.IQ2_XXS + block.Byte(sub + group) * 2 + (i & 1)];
        return FourBytes.Negate(entry, DeviceCodebooks.EvenSigns(block.Word32(sub + 4) >> group * 7) >> (i & 1) * 4);
    }

    public static ScaleMin Scale<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa =>
        new() { Scale = block.Half<TIsa>(0) * (0.5f + (block.Byte(9 + (i >> 1) * 8) >> 4)) * 0.25f };
}
