using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// 256 weights in 8 sub-blocks of 32: float16 d and dmin, 12 bytes of 6-bit scales and mins, 128 bytes of nibbles (each run of 32 bytes
/// holds sub-block 2c in its low and 2c + 1 in its high nibbles). Weight = d * scale * nibble - dmin * min. (ggml block_q4_K)
/// </summary>
internal sealed class Q4_KFormat : TensorFormat
{
    public override TensorType Type => TensorType.Q4_K;
    public override int BlockElements => 256;
    public override int BlockBytes => 144;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; values.Length > 0; blocks = blocks[144..], values = values[256..])
        {
            float d = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks)), dmin = Half16.ToSingle(MemoryMarshal.Read<ushort>(blocks[2..]));
            for (int j = 0; j < 8; j++)
            {
                (int scale, int min) = ScaleAndMin(blocks[4..16], j);
                float ds = d * scale, m = dmin * min;
                ReadOnlySpan<byte> quants = blocks.Slice(16 + j / 2 * 32, 32);
                for (int i = 0; i < 32; i++) values[j * 32 + i] = ds * (quants[i] >> (j % 2 * 4) & 15) - m;
            }
        }
    }

    /// <summary>The 6-bit scale and min of sub-block <paramref name="j"/> (0-7) out of their 12 packed bytes.</summary>
    public static (int Scale, int Min) ScaleAndMin(ReadOnlySpan<byte> packed, int j) => j < 4
        ? (packed[j] & 63, packed[j + 4] & 63)
        : (packed[j + 4] & 15 | packed[j - 4] >> 6 << 4, packed[j + 4] >> 4 | packed[j] >> 6 << 4);
}
