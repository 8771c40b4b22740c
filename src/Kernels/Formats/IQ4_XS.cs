using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// 256 weights in 8 sub-blocks of 32: float16 d, a word of upper scale bits (two to a sub-block), 4 bytes of lower scale nibbles, 8 times 16 bytes of nibbles
/// as in IQ4_NL. Weight = d * (scale - 32) * step. (ggml block_iq4_xs)
/// </summary>
internal sealed class IQ4_XSFormat : TensorFormat
{
    public override TensorType Type => TensorType.IQ4_XS;
    public override int BlockElements => 256;
    public override int BlockBytes => 136;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[136..], values = values[256..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks));
            for (int j = 0; j < 8; j++)
            {
                float ds = d * (Scale(blocks, j) - 32);
                ReadOnlySpan<byte> nibbles = blocks.Slice(8 + j * 16, 16);
                for (int i = 0; i < 32; i++) values[j * 32 + i] = ds * IQ4_NLFormat.Steps[nibbles[i & 15] >> (i >> 4) * 4 & 15];
            }
        }
    }

    /// <summary>The 6-bit scale of sub-block <paramref name="j"/> (0-7) of a block.</summary>
    public static int Scale(ReadOnlySpan<byte> block, int j) => block[4 + j / 2] >> (j % 2 * 4) & 15 | (MemoryMarshal.Read<ushort>(block[2..]) >> (j * 2) & 3) << 4;
}
