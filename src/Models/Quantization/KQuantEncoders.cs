using System.Buffers.Binary;
using Inference.Kernels;

namespace Inference.Models;

/// <summary>Q2_K: 16 sub-blocks of 16; 4-bit factors of scale and min in a byte each, 64 bytes of bit pairs, float16 scale and min.</summary>
internal sealed class Q2_KEncoder : SuperScaleMinEncoder
{
    public override TensorType Type => TensorType.Q2_K;

    protected override int SubBlocks => 16;

    protected override int Top => 3;

    protected override int Range => 15;

    protected override void Pack(ushort scale, ushort min, ReadOnlySpan<byte> factors, ReadOnlySpan<byte> minFactors, ReadOnlySpan<byte> codes, Span<byte> block)
    {
        for (int j = 0; j < 16; j++) block[j] = (byte)(factors[j] | minFactors[j] << 4);
        BitPlanes.PackPairs(codes, block.Slice(16, 64));
        BinaryPrimitives.WriteUInt16LittleEndian(block[80..], scale);
        BinaryPrimitives.WriteUInt16LittleEndian(block[82..], min);
    }
}

/// <summary>Q3_K: 16 sub-blocks of 16; 32 bytes of third bits, 64 bytes of bit pairs, 6-bit factors in 12 bytes, float16 scale.</summary>
internal sealed class Q3_KEncoder : SuperScaleEncoder<SignedLevels3>
{
    public override TensorType Type => TensorType.Q3_K;

    protected override int SubBlocks => 16;

    protected override int Range => 32;

    protected override void Pack(ushort scale, ReadOnlySpan<sbyte> factors, ReadOnlySpan<byte> codes, Span<byte> block)
    {
        BitPlanes.PackBits(codes, 2, block[..32]);
        BitPlanes.PackPairs(codes, block.Slice(32, 64));
        Span<byte> packed = block.Slice(96, 12);
        packed.Clear();
        for (int j = 0; j < 16; j++)
        {
            // Low nibbles fill 8 bytes, first their low halves; the upper bit pairs fill the other 4 in the same way.
            int factor = factors[j] + 32;
            packed[j % 8] |= (byte)((factor & 15) << j / 8 * 4);
            packed[8 + j % 4] |= (byte)(factor >> 4 << j / 4 * 2);
        }
        BinaryPrimitives.WriteUInt16LittleEndian(block[108..], scale);
    }
}

/// <summary>Q4_K: 8 sub-blocks of 32; float16 scale and min, 6-bit factors of both in 12 bytes, 128 bytes of nibbles.</summary>
internal sealed class Q4_KEncoder : SuperScaleMinEncoder
{
    public override TensorType Type => TensorType.Q4_K;

    protected override int SubBlocks => 8;

    protected override int Top => 15;

    protected override int Range => 63;

    protected override void Pack(ushort scale, ushort min, ReadOnlySpan<byte> factors, ReadOnlySpan<byte> minFactors, ReadOnlySpan<byte> codes, Span<byte> block)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(block, scale);
        BinaryPrimitives.WriteUInt16LittleEndian(block[2..], min);
        BitPlanes.PackFactors(factors, minFactors, block.Slice(4, 12));
        BitPlanes.PackNibbles(codes, block[16..]);
    }
}

/// <summary>Q5_K: as Q4_K, with 32 bytes of fifth bits before the nibbles.</summary>
internal sealed class Q5_KEncoder : SuperScaleMinEncoder
{
    public override TensorType Type => TensorType.Q5_K;

    protected override int SubBlocks => 8;

    protected override int Top => 31;

    protected override int Range => 63;

    protected override void Pack(ushort scale, ushort min, ReadOnlySpan<byte> factors, ReadOnlySpan<byte> minFactors, ReadOnlySpan<byte> codes, Span<byte> block)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(block, scale);
        BinaryPrimitives.WriteUInt16LittleEndian(block[2..], min);
        BitPlanes.PackFactors(factors, minFactors, block.Slice(4, 12));
        BitPlanes.PackBits(codes, 4, block.Slice(16, 32));
        BitPlanes.PackNibbles(codes, block[48..]);
    }
}

/// <summary>Q6_K: 16 sub-blocks of 16; 128 bytes of low nibbles, 64 bytes of upper bit pairs, 16 int8 factors, float16 scale.</summary>
internal sealed class Q6_KEncoder : SuperScaleEncoder<SignedLevels6>
{
    public override TensorType Type => TensorType.Q6_K;

    protected override int SubBlocks => 16;

    protected override int Range => 128;

    protected override void Pack(ushort scale, ReadOnlySpan<sbyte> factors, ReadOnlySpan<byte> codes, Span<byte> block)
    {
        // Each half of 128 weights is four runs of 32: the nibbles of runs 0 and 2 share 32 bytes, those of 1 and 3 the next.
        for (int half = 0; half < 2; half++)
            for (int l = 0; l < 64; l++)
                block[half * 64 + l] = (byte)(codes[half * 128 + l] & 15 | codes[half * 128 + 64 + l] << 4);
        Span<byte> upper = stackalloc byte[256];
        for (int i = 0; i < 256; i++) upper[i] = (byte)(codes[i] >> 4);
        BitPlanes.PackPairs(upper, block.Slice(128, 64));
        for (int j = 0; j < 16; j++) block[192 + j] = (byte)factors[j];
        BinaryPrimitives.WriteUInt16LittleEndian(block[208..], scale);
    }
}

/// <summary>IQ4_XS: 8 sub-blocks of 32 with the levels of IQ4_NL; float16 scale, 6-bit factors (upper pairs in 2 bytes, nibbles in 4), 128 bytes of nibbles.</summary>
internal sealed class IQ4_XSEncoder : SuperScaleEncoder<NonLinearLevels>
{
    public override TensorType Type => TensorType.IQ4_XS;

    protected override int SubBlocks => 8;

    protected override int Range => 32;

    protected override void Pack(ushort scale, ReadOnlySpan<sbyte> factors, ReadOnlySpan<byte> codes, Span<byte> block)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(block, scale);
        int upper = 0;
        block.Slice(4, 4).Clear();
        for (int j = 0; j < 8; j++)
        {
            int factor = factors[j] + 32;
            block[4 + j / 2] |= (byte)((factor & 15) << j % 2 * 4);
            upper |= factor >> 4 << j * 2;
            Nibbles.PackHalves(codes.Slice(j * 32, 32), block.Slice(8 + j * 16, 16));
        }
        BinaryPrimitives.WriteUInt16LittleEndian(block[2..], (ushort)upper);
    }
}
