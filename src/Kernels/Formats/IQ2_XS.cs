using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// 256 weights in 16 sub-blocks of 16: float16 d, 32 words of 9 bits of row number and 7 stored signs, 8 bytes of 4-bit scales.
/// Weight = d * (scale + 1/2) / 4 * sign * entry. (ggml block_iq2_xs)
/// </summary>
internal sealed class IQ2_XSFormat : TensorFormat
{
    public override TensorType Type => TensorType.IQ2_XS;
    public override int BlockElements => 256;
    public override int BlockBytes => 74;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[74..], values = values[256..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks));
            for (int g = 0; g < 32; g++)
            {
                uint word = MemoryMarshal.Read<ushort>(blocks[(2 + g * 2)..]);
                int scale = blocks[66 + g / 4] >> (g / 2 % 2 * 4) & 15;
                Codebook.IQ2_XS.Decode((int)(word & 511), Codebook.EvenSigns(word >> 9), d * (0.5f + scale) * 0.25f, values[(g * 8)..]);
            }
        }
    }
}
