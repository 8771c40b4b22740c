using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// 256 weights in 8 sub-blocks of 32: float16 d, 64 row numbers (of 4 weights), then a word to a sub-block: four times 7 stored signs and a 4-bit scale.
/// Weight = d * (scale + 1/2) / 2 * sign * entry. (ggml block_iq3_xxs)
/// </summary>
internal sealed class IQ3_XXSFormat : TensorFormat
{
    public override TensorType Type => TensorType.IQ3_XXS;
    public override int BlockElements => 256;
    public override int BlockBytes => 98;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[98..], values = values[256..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks));
            for (int g = 0; g < 32; g++)
            {
                uint word = MemoryMarshal.Read<uint>(blocks[(66 + g / 4 * 4)..]);
                int signs = Codebook.EvenSigns(word >> g % 4 * 7);
                float scale = d * (0.5f + (word >> 28)) * 0.5f;
                Codebook.IQ3_XXS.Decode(blocks[2 + g * 2], signs, scale, values[(g * 8)..]);
                Codebook.IQ3_XXS.Decode(blocks[3 + g * 2], signs >> 4, scale, values[(g * 8 + 4)..]);
            }
        }
    }
}
