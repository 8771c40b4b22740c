using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// 256 weights in 16 sub-blocks of 16: 32 bytes of third bits (bit r of byte l belongs to weight 32r + l), 64 bytes of bit pairs as in Q2_K, 12 bytes of
/// 6-bit scales, float16 d. Weight = d * (scale - 32) * (q - 4), q of 3 bits. (ggml block_q3_K)
/// </summary>
internal sealed class Q3_KFormat : TensorFormat
{
    public override TensorType Type => TensorType.Q3_K;
    public override int BlockElements => 256;
    public override int BlockBytes => 110;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[110..], values = values[256..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks[108..]));
            for (int j = 0; j < 16; j++)
            {
                float ds = d * (Scale(blocks[96..108], j) - 32);
                for (int i = j * 16; i < j * 16 + 16; i++)
                    values[i] = ds * ((Q2_KFormat.Quant(blocks[32..96], i) | (blocks[i % 32] >> (i / 32) & 1) << 2) - 4);
            }
        }
    }

    /// <summary>The 6-bit scale of sub-block <paramref name="j"/> (0-15): eight bytes of low nibbles, then four bytes of upper bit pairs.</summary>
    public static int Scale(ReadOnlySpan<byte> packed, int j) => packed[j % 8] >> (j / 8 * 4) & 15 | (packed[8 + j % 4] >> (j / 4 * 2) & 3) << 4;
}
