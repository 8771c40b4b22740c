namespace Inference.Kernels;

/// <summary>Blocks as <see cref="Q2_0Format"/> says.</summary>
internal readonly struct StoredQ2_0 : IStoredFormat
{
    public static TensorType Type => TensorType.Q2_0;
    public static int BlockElements => 64;
    public static int BlockBytes => 18;
    public static bool HasMin => false;

    public static uint Quants<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa
    {
        int pairs = block.Byte(2 + i);
        return FourBytes.Pack((pairs & 3) - 1, (pairs >> 2 & 3) - 1, (pairs >> 4 & 3) - 1, (pairs >> 6) - 1);
    }

    public static ScaleMin Scale<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa =>
        new() { Scale = block.Half<TIsa>(0) };
}
