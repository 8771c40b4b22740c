namespace Inference.Kernels;

/// <summary>Blocks as <see cref="IQ1_SFormat"/> says; quants are eight times entry and shift.</summary>
internal readonly struct StoredIQ1_S : IStoredFormat
{
    public static TensorType Type => TensorType.IQ1_S;
    public static int BlockElements => 256;
    public static int BlockBytes => 50;
    public static bool HasMin => false;

    public static uint Quants<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa
    {
        int group = i >> 1, word = block.Word16(34 + (i >> 3) * 2), index = block.Byte(2 + group) | (word >> (group & 3) * 3 & 7) << 8;
        return Shifted(block.Codebooks[DeviceCodebooks.IQ1 + index * 2 + (i & 1)], word >> 15);
    }

    public static ScaleMin Scale<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa =>
        new() { Scale = block.Half<TIsa>(0) * (2 * (block.Byte(35 + (i >> 1) * 2) >> 4 & 7) + 1) * IQ1_SFormat.Shift };

    /// <summary>8 * entry + 1, or - 1 where <paramref name="minus"/> is 1, of four entries from -1 to 1.</summary>
    public static uint Shifted(uint entries, int minus) => FourBytes.Add(entries << 3 & 0xf8f8f8f8u, minus != 0 ? 0xffffffffu : 0x01010101u);
}
