using System.Runtime.InteropServices;
using Inference.Kernels;

namespace Inference.Models;

/// <summary>IEEE float32, as it is.</summary>
internal sealed class F32Encoder : BlockEncoder
{
    public override TensorType Type => TensorType.F32;

    public override void Encode(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> blocks) => MemoryMarshal.AsBytes(values).CopyTo(blocks);
}

/// <summary>IEEE float16, rounded to the nearest, ties to even. Beyond 65,504 it becomes infinite, which the caller refuses.</summary>
internal sealed class F16Encoder : BlockEncoder
{
    public override TensorType Type => TensorType.F16;

    public override void Encode(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> blocks)
    {
        Span<ushort> bits = MemoryMarshal.Cast<byte, ushort>(blocks);
        for (int i = 0; i < values.Length; i++) bits[i] = Half16.FromSingle(values[i]);
    }
}

/// <summary>bfloat16: the upper half of a float32, rounded to the nearest, ties to even.</summary>
internal sealed class BF16Encoder : BlockEncoder
{
    public override TensorType Type => TensorType.BF16;

    public override void Encode(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> blocks)
    {
        Span<ushort> bits = MemoryMarshal.Cast<byte, ushort>(blocks);
        for (int i = 0; i < values.Length; i++)
        {
            uint single = BitConverter.SingleToUInt32Bits(values[i]);
            // Half of the last kept bit, less one unless that bit is odd: a tie then goes to the even neighbour.
            bits[i] = (ushort)((single + 0x7fff + (single >> 16 & 1)) >> 16);
        }
    }
}
