using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// 32 weights: float16 scale d, 32 fifth bits (bit i of weight i), 16 bytes of nibbles as in Q4_0. Weight = d * (q - 16), q of 5 bits. (ggml block_q5_0)
/// </summary>
internal sealed class Q5_0Format : TensorFormat
{
    public override TensorType Type => TensorType.Q5_0;
    public override int BlockElements => 32;
    public override int BlockBytes => 22;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[22..], values = values[32..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks));
            uint high = MemoryMarshal.Read<uint>(blocks[2..]);
            for (int i = 0; i < 32; i++) values[i] = d * (Quant(blocks[6..22], high, i) - 16);
        }
    }

    /// <summary>The 5-bit quant (0-31) of weight <paramref name="i"/> out of 16 bytes of nibbles and the word of fifth bits.</summary>
    public static int Quant(ReadOnlySpan<byte> nibbles, uint high, int i) => nibbles[i & 15] >> (i >> 4) * 4 & 15 | (int)(high >> i & 1) << 4;
}
