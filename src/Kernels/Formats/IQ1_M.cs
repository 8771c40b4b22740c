using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// 256 weights in 16 sub-blocks of 16: 32 lower bytes of row numbers, 16 bytes with a nibble to each: 3 upper bits and the sign of the shift, 4 words of
/// four 3-bit scales and, in their top nibbles, a quarter of float16 d. Weight = d * (2 * scale + 1) * (entry +- 1/8). (ggml block_iq1_m)
/// </summary>
internal sealed class IQ1_MFormat : TensorFormat
{
    public override TensorType Type => TensorType.IQ1_M;
    public override int BlockElements => 256;
    public override int BlockBytes => 56;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[56..], values = values[256..])
        {
            float d = Half16.ToSingle(Scale(blocks));
            for (int g = 0; g < 32; g++)
            {
                int nibble = blocks[32 + g / 2] >> (g % 2 * 4), scale = MemoryMarshal.Read<ushort>(blocks[(48 + g / 8 * 2)..]) >> (g / 2 % 4 * 3) & 7;
                IQ1_SFormat.Write(blocks[g] | (nibble & 7) << 8, d * (2 * scale + 1), (nibble & 8) != 0 ? -IQ1_SFormat.Shift : IQ1_SFormat.Shift, values[(g * 8)..]);
            }
        }
    }

    /// <summary>The float16 bits of d, put together from the last four words of a block.</summary>
    private static ushort Scale(ReadOnlySpan<byte> block)
    {
        int bits = 0;
        for (int i = 0; i < 4; i++) bits |= block[49 + i * 2] >> 4 << (i * 4);
        return (ushort)bits;
    }
}
