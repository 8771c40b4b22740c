using System.Buffers.Binary;
using Inference.Kernels;

namespace Inference.Models;

/// <summary>Q4_1: float16 scale and min, 32 nibbles.</summary>
internal sealed class Q4_1Encoder : ScaleMinBlockEncoder
{
    public override TensorType Type => TensorType.Q4_1;

    protected override int Top => 15;

    protected override void Pack(ushort scale, ushort min, ReadOnlySpan<byte> codes, Span<byte> block)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(block, scale);
        BinaryPrimitives.WriteUInt16LittleEndian(block[2..], min);
        Nibbles.PackHalves(codes, block[4..]);
    }
}

/// <summary>Q5_1: float16 scale and min, 32 fifth bits, 32 nibbles.</summary>
internal sealed class Q5_1Encoder : ScaleMinBlockEncoder
{
    public override TensorType Type => TensorType.Q5_1;

    protected override int Top => 31;

    protected override void Pack(ushort scale, ushort min, ReadOnlySpan<byte> codes, Span<byte> block)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(block, scale);
        BinaryPrimitives.WriteUInt16LittleEndian(block[2..], min);
        Nibbles.PackFifthBits(codes, block[4..]);
        Nibbles.PackHalves(codes, block[8..]);
    }
}
