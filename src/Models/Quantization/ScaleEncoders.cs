using System.Buffers.Binary;
using Inference.Kernels;

namespace Inference.Models;

/// <summary>Q4_0: float16 scale, 32 nibbles.</summary>
internal sealed class Q4_0Encoder : ScaleBlockEncoder<SignedLevels4>
{
    public override TensorType Type => TensorType.Q4_0;

    protected override void Pack(ushort scale, ReadOnlySpan<byte> codes, Span<byte> block)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(block, scale);
        Nibbles.PackHalves(codes, block[2..]);
    }
}

/// <summary>IQ4_NL: as Q4_0, with levels that are not evenly spaced.</summary>
internal sealed class IQ4_NLEncoder : ScaleBlockEncoder<NonLinearLevels>
{
    public override TensorType Type => TensorType.IQ4_NL;

    protected override void Pack(ushort scale, ReadOnlySpan<byte> codes, Span<byte> block)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(block, scale);
        Nibbles.PackHalves(codes, block[2..]);
    }
}

/// <summary>Q5_0: float16 scale, 32 fifth bits, 32 nibbles.</summary>
internal sealed class Q5_0Encoder : ScaleBlockEncoder<SignedLevels5>
{
    public override TensorType Type => TensorType.Q5_0;

    protected override void Pack(ushort scale, ReadOnlySpan<byte> codes, Span<byte> block)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(block, scale);
        Nibbles.PackFifthBits(codes, block[2..]);
        Nibbles.PackHalves(codes, block[6..]);
    }
}
