using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>32 weights: float16 scale d, 16 bytes of nibbles as in Q4_0, which choose one of 16 unequal steps. Weight = d * step. (ggml block_iq4_nl)</summary>
internal sealed class IQ4_NLFormat : TensorFormat
{
    public override TensorType Type => TensorType.IQ4_NL;
    public override int BlockElements => 32;
    public override int BlockBytes => 18;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[18..], values = values[32..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks));
            for (int i = 0; i < 16; i++)
            {
                values[i] = d * Steps[blocks[2 + i] & 15];
                values[i + 16] = d * Steps[blocks[2 + i] >> 4];
            }
        }
    }

    /// <summary>What the 16 nibbles mean, also in IQ4_XS. (ggml kvalues_iq4nl)</summary>
    public static ReadOnlySpan<sbyte> Steps => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
}
