using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// 32 weights: float16 scale d and minimum m, 32 fifth bits and 16 bytes of nibbles as in Q5_0. Weight = d * q + m, q of 5 bits. (ggml block_q5_1)
/// </summary>
internal sealed class Q5_1Format : TensorFormat
{
    public override TensorType Type => TensorType.Q5_1;
    public override int BlockElements => 32;
    public override int BlockBytes => 24;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[24..], values = values[32..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks)), m = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks[2..]));
            uint high = MemoryMarshal.Read<uint>(blocks[4..]);
            for (int i = 0; i < 32; i++) values[i] = d * Q5_0Format.Quant(blocks[8..24], high, i) + m;
        }
    }
}
