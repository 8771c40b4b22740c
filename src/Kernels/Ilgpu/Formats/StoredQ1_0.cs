namespace Inference.Kernels;

/// <summary>Blocks as <see cref="Q1_0Format"/> says; quants are 1 and -1.</summary>
internal readonly struct StoredQ1_0 : IStoredFormat
{
    public static TensorType Type => TensorType.Q1_0;
    public static int BlockElements => 128;
    public static int BlockBytes => 18;
    public static bool HasMin => false;

    public static uint Quants<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa
    {
        int bits = block.Byte(2 + (i >> 1)) >> (i & 1) * 4;
        return FourBytes.Negate(0x01010101u, ~bits);
    }

    public static ScaleMin Scale<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa =>
        new() { Scale = block.Half<TIsa>(0) };
}
