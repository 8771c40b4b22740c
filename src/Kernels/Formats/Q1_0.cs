using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>128 weights: float16 d, 16 bytes of bits from the lowest. Weight = d where the bit is set, else -d. (ggml block_q1_0)</summary>
internal sealed class Q1_0Format : TensorFormat
{
    public override TensorType Type => TensorType.Q1_0;
    public override int BlockElements => 128;
    public override int BlockBytes => 18;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[18..], values = values[128..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks));
            for (int i = 0; i < 128; i++) values[i] = (blocks[2 + i / 8] >> (i % 8) & 1) != 0 ? d : -d;
        }
    }
}
