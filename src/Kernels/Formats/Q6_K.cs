using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// 256 weights in 16 sub-blocks of 16: 128 bytes of low nibbles, 64 bytes of upper bit pairs, 16 int8 scales, float16 d.
/// Weight = d * scale * (q - 32), q of 6 bits. (ggml block_q6_K)
/// </summary>
internal sealed class Q6_KFormat : TensorFormat
{
    public override TensorType Type => TensorType.Q6_K;
    public override int BlockElements => 256;
    public override int BlockBytes => 210;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[210..], values = values[256..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks[208..]));
            for (int i = 0; i < 256; i++)
                values[i] = d * (sbyte)blocks[192 + i / 16] * (Quant(blocks, i) - 32);
        }
    }

    /// <summary>The 6-bit quant (0-63) of weight <paramref name="i"/> of a block. Each half of 128 weights has four runs of 32.</summary>
    public static int Quant(ReadOnlySpan<byte> block, int i)
    {
        int half = i / 128, run = i % 128 / 32, l = i % 32;
        int low = block[half * 64 + run % 2 * 32 + l] >> (run / 2 * 4) & 15;
        return low | (block[128 + half * 32 + l] >> (run * 2) & 3) << 4;
    }
}
