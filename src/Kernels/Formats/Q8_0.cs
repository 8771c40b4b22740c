using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>32 weights: float16 scale d, 32 int8 q. Weight i = d * q[i]. (ggml block_q8_0)</summary>
internal sealed class Q8_0Format : TensorFormat
{
    public override TensorType Type => TensorType.Q8_0;
    public override int BlockElements => 32;
    public override int BlockBytes => 34;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[34..], values = values[32..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks));
            for (int i = 0; i < 32; i++) values[i] = d * (sbyte)blocks[2 + i];
        }
    }
}
