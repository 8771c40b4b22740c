namespace Inference.Kernels;

/// <summary>Blocks as <see cref="TQ1_0Format"/> says.</summary>
internal readonly struct StoredTQ1_0 : IStoredFormat
{
    public static TensorType Type => TensorType.TQ1_0;
    public static int BlockElements => 256;
    public static int BlockBytes => 54;
    public static bool HasMin => false;

    public static uint Quants<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa
    {
        // Runs of 32, 16 and 4 weights: place of the digit, and the first of four bytes that hold it.
        int place = i < 40 ? i >> 3 : i < 60 ? (i - 40) >> 2 : i - 60, start = i < 40 ? (i & 7) * 4 : i < 60 ? 32 + (i & 3) * 4 : 48;
        return FourBytes.Pack(Digit(block.Byte(start), place), Digit(block.Byte(start + 1), place), Digit(block.Byte(start + 2), place), Digit(block.Byte(start + 3), place));
    }

    public static ScaleMin Scale<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa =>
        new() { Scale = block.Half<TIsa>(52) };

    private static int Digit(int fraction, int place)
    {
        int power = place < 2 ? (place == 0 ? 1 : 3) : (place == 2 ? 9 : place == 3 ? 27 : 81);
        return ((fraction * power & 255) * 3 >> 8) - 1;
    }
}
