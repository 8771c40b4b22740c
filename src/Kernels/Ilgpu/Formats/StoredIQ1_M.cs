namespace Inference.Kernels;

/// <summary>Blocks as <see cref="IQ1_MFormat"/> says; quants are eight times entry and shift.</summary>
internal readonly struct StoredIQ1_M : IStoredFormat
{
    public static TensorType Type => TensorType.IQ1_M;
    public static int BlockElements => 256;
    public static int BlockBytes => 56;
    public static bool HasMin => false;

    public static uint Quants<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa
    {
        int group = i >> 1, nibble = block.Byte(32 + (i >> 2)) >> (group & 1) * 4, index = block.Byte(group) | (nibble & 7) << 8;
        return StoredIQ1_S.Shifted(block.Codebooks[DeviceCodebooks.IQ1 + index * 2 + (i & 1)], nibble >> 3 & 1);
    }

    public static ScaleMin Scale<TIsa>(StoredBlock block, int i) where TIsa : struct, IIsa
    {
        int d = block.Byte(49) >> 4 | block.Byte(51) & 0xf0 | (block.Byte(53) & 0xf0) << 4 | (block.Byte(55) & 0xf0) << 8;
        return new() { Scale = TIsa.Half((uint)d) * (2 * (block.Word16(48 + (i >> 2) * 2) >> (i & 3) * 3 & 7) + 1) * IQ1_SFormat.Shift };
    }
}
