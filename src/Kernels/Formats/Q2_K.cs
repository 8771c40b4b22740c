using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// 256 weights in 16 sub-blocks of 16: 16 bytes of scale (low nibble) and minimum (high), 64 bytes of bit pairs, float16 d and dmin.
/// Weight = d * scale * q - dmin * min. (ggml block_q2_K)
/// </summary>
internal sealed class Q2_KFormat : TensorFormat
{
    public override TensorType Type => TensorType.Q2_K;
    public override int BlockElements => 256;
    public override int BlockBytes => 84;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[84..], values = values[256..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks[80..])), dmin = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks[82..]));
            for (int j = 0; j < 16; j++)
            {
                float ds = d * (blocks[j] & 15), m = dmin * (blocks[j] >> 4);
                for (int i = j * 16; i < j * 16 + 16; i++) values[i] = ds * Quant(blocks[16..80], i) - m;
            }
        }
    }

    /// <summary>The 2-bit quant of weight <paramref name="i"/> out of 64 bytes: each half of 128 weights has 32 bytes, which hold four runs of 32.</summary>
    public static int Quant(ReadOnlySpan<byte> pairs, int i) => pairs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
}
