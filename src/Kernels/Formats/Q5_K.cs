using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// 256 weights in 8 sub-blocks of 32: float16 d and dmin, 12 bytes of scales and mins as in Q4_K, 32 bytes of fifth bits (bit j of byte l belongs to
/// weight 32j + l), 128 bytes of nibbles as in Q4_K. Weight = d * scale * q - dmin * min, q of 5 bits. (ggml block_q5_K)
/// </summary>
internal sealed class Q5_KFormat : TensorFormat
{
    public override TensorType Type => TensorType.Q5_K;
    public override int BlockElements => 256;
    public override int BlockBytes => 176;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[176..], values = values[256..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks)), dmin = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks[2..]));
            for (int j = 0; j < 8; j++)
            {
                (int scale, int min) = Q4_KFormat.ScaleAndMin(blocks[4..16], j);
                float ds = d * scale, m = dmin * min;
                ReadOnlySpan<byte> high = blocks[16..48], nibbles = blocks.Slice(48 + j / 2 * 32, 32);
                for (int i = 0; i < 32; i++) values[j * 32 + i] = ds * (nibbles[i] >> (j % 2 * 4) & 15 | (high[i] >> j & 1) << 4) - m;
            }
        }
    }
}
