namespace Inference.Kernels;

/// <summary>
/// 64 weights in 4 sub-blocks of 16: 4 scales as unsigned 8-bit floats (e4m3), 4 times 8 bytes of 4-bit floats (e2m1); byte i of a sub-block holds weight i (low
/// nibble) and i + 8 (high). Weight = scale * float. (ggml block_nvfp4)
/// </summary>
internal sealed class NVFP4Format : TensorFormat
{
    public override TensorType Type => TensorType.NVFP4;
    public override int BlockElements => 64;
    public override int BlockBytes => 36;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[36..], values = values[64..])
        {
            for (int j = 0; j < 4; j++)
            {
                float scale = HalfScale(blocks[j]);
                for (int i = 0; i < 8; i++)
                {
                    int pair = blocks[4 + j * 8 + i];
                    values[j * 16 + i] = scale * MXFP4Format.DoubledFloats[pair & 15];
                    values[j * 16 + 8 + i] = scale * MXFP4Format.DoubledFloats[pair >> 4];
                }
            }
        }
    }

    /// <summary>Half of an unsigned e4m3 number, bias 7, with subnormals; 127 is zero here, not NaN.</summary>
    public static float HalfScale(int bits)
    {
        int exponent = bits >> 3 & 15, mantissa = bits & 7;
        if (bits == 127) return 0;
        // 2^(exponent - 7) * (8 + mantissa) / 8 / 2, with exponent 1 and no leading 8 where the exponent is 0.
        return exponent == 0 ? mantissa * (1f / 1024) : (8 + mantissa) * BitConverter.Int32BitsToSingle((exponent + 127 - 11) << 23);
    }
}
