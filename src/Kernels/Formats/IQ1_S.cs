using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// 256 weights in 8 sub-blocks of 32: float16 d, 32 lower bytes of row numbers, 8 words: four times 3 upper bits of row numbers, a 3-bit scale and the sign
/// of the shift. Weight = d * (2 * scale + 1) * (entry +- 1/8). (ggml block_iq1_s)
/// </summary>
internal sealed class IQ1_SFormat : TensorFormat
{
    public override TensorType Type => TensorType.IQ1_S;
    public override int BlockElements => 256;
    public override int BlockBytes => 50;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[50..], values = values[256..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks));
            for (int g = 0; g < 32; g++)
            {
                int word = MemoryMarshal.Read<ushort>(blocks[(34 + g / 4 * 2)..]);
                Write(blocks[2 + g] | (word >> (g % 4 * 3) & 7) << 8, d * (2 * (word >> 12 & 7) + 1), (word & 0x8000) != 0 ? -Shift : Shift, values[(g * 8)..]);
            }
        }
    }

    /// <summary>What moves the three values of an entry off zero. (ggml IQ1S_DELTA)</summary>
    public const float Shift = 0.125f;

    /// <summary>weights[i] = scale * (entry i of a row + shift).</summary>
    public static void Write(int index, float scale, float shift, Span<float> weights)
    {
        ReadOnlySpan<sbyte> row = Codebook.IQ1.Row(index);
        for (int i = 0; i < 8; i++) weights[i] = scale * (row[i] + shift);
    }
}
