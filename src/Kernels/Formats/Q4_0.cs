using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>32 weights: float16 scale d, 16 bytes. Byte i holds weight i (low nibble) and i + 16 (high). Weight = d * (nibble - 8). (ggml block_q4_0)</summary>
internal sealed class Q4_0Format : TensorFormat
{
    public override TensorType Type => TensorType.Q4_0;
    public override int BlockElements => 32;
    public override int BlockBytes => 18;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[18..], values = values[32..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks));
            for (int i = 0; i < 16; i++)
            {
                values[i] = d * ((blocks[2 + i] & 15) - 8);
                values[i + 16] = d * ((blocks[2 + i] >> 4) - 8);
            }
        }
    }
}
