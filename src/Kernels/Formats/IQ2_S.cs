using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// 256 weights in 16 sub-blocks of 16: float16 d, 32 lower bytes of row numbers, 32 bytes of signs, 8 bytes of upper bit pairs of row numbers, 8 bytes of
/// 4-bit scales. Weight = d * (scale + 1/2) / 4 * sign * entry. (ggml block_iq2_s)
/// </summary>
internal sealed class IQ2_SFormat : TensorFormat
{
    public override TensorType Type => TensorType.IQ2_S;
    public override int BlockElements => 256;
    public override int BlockBytes => 82;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[82..], values = values[256..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks));
            for (int g = 0; g < 32; g++)
            {
                int index = blocks[2 + g] | (blocks[66 + g / 4] >> (g % 4 * 2) & 3) << 8, scale = blocks[74 + g / 4] >> (g / 2 % 2 * 4) & 15;
                Codebook.IQ2_S.Decode(index, blocks[34 + g], d * (0.5f + scale) * 0.25f, values[(g * 8)..]);
            }
        }
    }
}
