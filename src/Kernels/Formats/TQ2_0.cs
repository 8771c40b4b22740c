using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>256 ternary weights: 64 bytes of bit pairs placed as in Q2_K, float16 d. Weight = d * (q - 1). (ggml block_tq2_0)</summary>
internal sealed class TQ2_0Format : TensorFormat
{
    public override TensorType Type => TensorType.TQ2_0;
    public override int BlockElements => 256;
    public override int BlockBytes => 66;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[66..], values = values[256..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks[64..]));
            for (int i = 0; i < 256; i++) values[i] = d * (Q2_KFormat.Quant(blocks[..64], i) - 1);
        }
    }
}
