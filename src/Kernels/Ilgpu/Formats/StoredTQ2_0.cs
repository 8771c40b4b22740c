namespace Inference.Kernels;

/// <summary>Blocks as <see cref="TQ2_0Format"/> says.</summary>
internal readonly struct StoredTQ2_0 : IStoredFormat
{
    public static TensorType Type => TensorType.TQ2_0;
    public static int BlockElements => 256;
    public static int BlockBytes => 66;
    public static bool HasMin => false;

    public static uint Quants<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa => FourBytes.Add(StoredQ2_K.Pairs(block, 0, i), 0xffffffffu);

    public static ScaleMin Scale<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa =>
        new() { Scale = block.Half<TIsa>(64) };
}
