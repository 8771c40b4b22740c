namespace Inference.Kernels;

/// <summary>Blocks as <see cref="IQ3_XXSFormat"/> says.</summary>
internal readonly struct StoredIQ3_XXS : IStoredFormat
{
    public static TensorType Type => TensorType.IQ3_XXS;
    public static int BlockElements => 256;
    public static int BlockBytes => 98;
    public static bool HasMin => false;

    public static uint Quants<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa
    {
        int signs = DeviceCodebooks.EvenSigns(block.Word32(66 + (i >> 3) * 4) >> ((i >> 1) & 3) * 7);
        return FourBytes.Negate(block.Codebooks[DeviceCodebooks.IQ3_XXS + block.Byte(2 + i)], signs >> (i & 1) * 4);
    }

    public static ScaleMin Scale<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa =>
        new() { Scale = block.Half<TIsa>(0) * (0.5f + (block.Byte(69 + (i >> 1) * 4) >> 4)) * 0.5f };
}
