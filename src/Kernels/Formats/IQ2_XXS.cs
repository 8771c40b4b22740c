using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// 256 weights in 8 sub-blocks of 32: float16 d, then 8 bytes to a sub-block: four row numbers, and a word of four times 7 stored signs and a 4-bit scale.
/// Weight = d * (scale + 1/2) / 4 * sign * entry. (ggml block_iq2_xxs)
/// </summary>
internal sealed class IQ2_XXSFormat : TensorFormat
{
    public override TensorType Type => TensorType.IQ2_XXS;
    public override int BlockElements => 256;
    public override int BlockBytes => 66;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[66..], values = values[256..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks));
            for (int g = 0; g < 32; g++)
            {
                ReadOnlySpan<byte> sub = blocks.Slice(2 + g / 4 * 8, 8);
                uint word = MemoryMarshal.Read<uint>(sub[4..]);
                Codebook.IQ2_XXS.Decode(sub[g % 4], Codebook.EvenSigns(word >> g % 4 * 7), d * (0.5f + (word >> 28)) * 0.25f, values[(g * 8)..]);
            }
        }
    }
}
