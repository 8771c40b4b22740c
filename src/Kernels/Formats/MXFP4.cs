namespace Inference.Kernels;

/// <summary>
/// 32 weights: an 8-bit exponent e, 16 bytes of 4-bit floats (e2m1), nibbles placed as in Q4_0. Weight = 2^(e - 127) * float. (OCP Microscaling Formats 1.0;
/// ggml block_mxfp4)
/// </summary>
internal sealed class MXFP4Format : TensorFormat
{
    public override TensorType Type => TensorType.MXFP4;
    public override int BlockElements => 32;
    public override int BlockBytes => 17;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[17..], values = values[32..])
        {
            float d = HalfScale(blocks[0]);
            for (int i = 0; i < 16; i++)
            {
                values[i] = d * DoubledFloats[blocks[1 + i] & 15];
                values[i + 16] = d * DoubledFloats[blocks[1 + i] >> 4];
            }
        }
    }

    /// <summary>The 16 values of e2m1 times two, which are integers; both zeros are +0. (ggml kvalues_mxfp4)</summary>
    public static ReadOnlySpan<sbyte> DoubledFloats => [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

    /// <summary>2^(e - 128), half of what the exponent means; subnormal for e of 0 and 1.</summary>
    public static float HalfScale(int e) => BitConverter.Int32BitsToSingle(e < 2 ? 0x00200000 << e : (e - 1) << 23);
}
