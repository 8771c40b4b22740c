using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>32 weights: float16 scale d and minimum m, 16 bytes. Byte i holds weight i (low nibble) and i + 16 (high). Weight = d * nibble + m. (ggml block_q4_1)</summary>
internal sealed class Q4_1Format : TensorFormat
{
    public override TensorType Type => TensorType.Q4_1;
    public override int BlockElements => 32;
    public override int BlockBytes => 20;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[20..], values = values[32..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks)), m = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks[2..]));
            for (int i = 0; i < 16; i++)
            {
                values[i] = d * (blocks[4 + i] & 15) + m;
                values[i + 16] = d * (blocks[4 + i] >> 4) + m;
            }
        }
    }
}
