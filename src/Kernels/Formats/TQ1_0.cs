using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// 256 ternary weights, five to a byte: 32 + 16 bytes of five runs (of 32 and of 16 weights), 4 bytes of four runs of 4, float16 d. A byte b is a fraction b / 256
/// whose base-3 digits are the weights of the runs in order. Weight = d * (digit - 1). (ggml block_tq1_0)
/// </summary>
internal sealed class TQ1_0Format : TensorFormat
{
    public override TensorType Type => TensorType.TQ1_0;
    public override int BlockElements => 256;
    public override int BlockBytes => 54;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[54..], values = values[256..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks[52..]));
            for (int i = 0; i < 256; i++) values[i] = d * (Digit(blocks, i) - 1);
        }
    }

    /// <summary>Digit (0-2) of weight <paramref name="i"/> of a block.</summary>
    public static int Digit(ReadOnlySpan<byte> block, int i) =>
        i < 160 ? Digit(block[i % 32], i / 32) : i < 240 ? Digit(block[32 + (i - 160) % 16], (i - 160) / 16) : Digit(block[48 + (i - 240) % 4], (i - 240) / 4);

    private static int Digit(byte fraction, int place)
    {
        int rest = fraction;
        for (; place > 0; place--) rest = rest * 3 & 255;
        return rest * 3 >> 8;
    }
}
