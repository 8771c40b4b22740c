using System.Buffers.Binary;
using Inference.Kernels;

namespace Inference.Models;

/// <summary>Q8_0: the largest magnitude becomes 127. With 255 levels a search would win less than the float16 scale loses.</summary>
internal sealed class Q8_0Encoder : BlockEncoder
{
    public override TensorType Type => TensorType.Q8_0;

    public override void Encode(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> blocks)
    {
        for (; values.Length > 0; values = values[32..], blocks = blocks[34..])
        {
            float largest = 0;
            foreach (float x in values[..32]) largest = Math.Max(largest, Math.Abs(x));
            ushort bits = HalfScale.Bits(largest / 127);
            BinaryPrimitives.WriteUInt16LittleEndian(blocks, bits);
            float scale = Half16.ToSingle(bits), inverse = scale == 0 ? 0 : 1 / scale;
            // The rounded scale can be a little too small for the largest weight.
            for (int i = 0; i < 32; i++) blocks[2 + i] = (byte)(sbyte)Math.Clamp(MathF.Round(values[i] * inverse), -127, 127);
        }
    }
}
