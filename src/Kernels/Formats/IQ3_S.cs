using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// 256 weights in 8 sub-blocks of 32: float16 d, 64 lower bytes of row numbers (of 4 weights), 8 bytes of their ninth bits, 32 bytes of signs, 4 bytes of
/// 4-bit scales. Weight = d * (2 * scale + 1) * sign * entry. (ggml block_iq3_s)
/// </summary>
internal sealed class IQ3_SFormat : TensorFormat
{
    public override TensorType Type => TensorType.IQ3_S;
    public override int BlockElements => 256;
    public override int BlockBytes => 110;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[110..], values = values[256..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks));
            for (int q = 0; q < 64; q++)
            {
                int index = blocks[2 + q] | (blocks[66 + q / 8] >> (q % 8) & 1) << 8, signs = blocks[74 + q / 2] >> (q % 2 * 4);
                float scale = d * (1 + 2 * (blocks[106 + q / 16] >> (q / 8 % 2 * 4) & 15));
                Codebook.IQ3_S.Decode(index, signs, scale, values[(q * 4)..]);
            }
        }
    }
}
