namespace Inference.Kernels;

/// <summary>Blocks as <see cref="Q5_0Format"/> says.</summary>
internal readonly struct StoredQ5_0 : IStoredFormat
{
    public static TensorType Type => TensorType.Q5_0;
    public static int BlockElements => 32;
    public static int BlockBytes => 22;
    public static bool HasMin => false;

    public static uint Quants<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa
    {
        uint nibbles = block.Word32(6 + (i & 3) * 4) >> (i >> 2) * 4 & 0x0f0f0f0fu;
        return FourBytes.Add(nibbles | Fifth(block.Word32(2), i), 0xf0f0f0f0u); // - 16
    }

    public static ScaleMin Scale<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa =>
        new() { Scale = block.Half<TIsa>(0) };

    /// <summary>Four bits of a word, from 4i, as bit 4 of each byte.</summary>
    public static uint Fifth(uint bits, int i) => (((bits >> (4 * i)) & 15u) * 0x00204081u & 0x01010101u) << 4;
}
