using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>bfloat16: the upper half of a float32, little endian.</summary>
internal sealed class BF16Format : TensorFormat
{
    public override TensorType Type => TensorType.BF16;
    public override int BlockElements => 1;
    public override int BlockBytes => 2;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        ReadOnlySpan<ushort> bits = MemoryMarshal.Cast<byte, ushort>(blocks);
        for (int i = 0; i < values.Length; i++) values[i] = BitConverter.UInt32BitsToSingle((uint)bits[i] << 16);
    }
}
