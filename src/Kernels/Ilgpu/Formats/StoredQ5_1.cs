namespace Inference.Kernels;

/// <summary>Blocks as <see cref="Q5_1Format"/> says.</summary>
internal readonly struct StoredQ5_1 : IStoredFormat
{
    public static TensorType Type => TensorType.Q5_1;
    public static int BlockElements => 32;
    public static int BlockBytes => 24;
    public static bool HasMin => true;

    public static uint Quants<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa => (block.Word32(8 + (i & 3) * 4) >> (i >> 2) * 4 & 0x0f0f0f0fu) | StoredQ5_0.Fifth(block.Word32(4), i);

    public static ScaleMin Scale<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa =>
        new() { Scale = block.Half<TIsa>(0), Min = -block.Half<TIsa>(2) };
}
