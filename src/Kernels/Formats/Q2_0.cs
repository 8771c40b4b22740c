using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>64 weights: float16 d, 16 bytes of bit pairs from the lowest. Weight = d * (q - 1). (ggml block_q2_0)</summary>
internal sealed class Q2_0Format : TensorFormat
{
    public override TensorType Type => TensorType.Q2_0;
    public override int BlockElements => 64;
    public override int BlockBytes => 18;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[18..], values = values[64..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks));
            for (int i = 0; i < 64; i++) values[i] = d * ((blocks[2 + i / 4] >> (i % 4 * 2) & 3) - 1);
        }
    }
}
