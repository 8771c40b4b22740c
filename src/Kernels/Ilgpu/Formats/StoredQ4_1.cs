namespace Inference.Kernels;

/// <summary>Blocks as <see cref="Q4_1Format"/> says.</summary>
internal readonly struct StoredQ4_1 : IStoredFormat
{
    public static TensorType Type => TensorType.Q4_1;
    public static int BlockElements => 32;
    public static int BlockBytes => 20;
    public static bool HasMin => true;

    public static uint Quants<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa => block.Word32(4 + (i & 3) * 4) >> (i >> 2) * 4 & 0x0f0f0f0fu;

    public static ScaleMin Scale<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa =>
        new() { Scale = block.Half<TIsa>(0), Min = -block.Half<TIsa>(2) };
}
