using System.Runtime.Intrinsics;

namespace Inference.Kernels;

/// <summary>Five digits of three values in a byte: digit n is the integer part of 3 * the fraction that is left after n places.</summary>
internal sealed unsafe class TQ1_0Decoder : PanelDecoder
{
    public override TensorType Type => TensorType.TQ1_0;

    protected override void Decode(byte* row, int columns, byte* weights, float* scales)
    {
        for (int k = 0; k < columns; k += 256, row += 54, weights += 256, scales += 16)
        {
            new Span<float>(scales, 16).Fill(Half(row + 52));
            // Columns 0-159 are five places of 32 bytes, 160-239 of 16 bytes, the last 16 are four places of 4 bytes.
            Vector128<ushort> a = Vector128.Load((ushort*)row), b = Vector128.Load((ushort*)(row + 16)), c = Vector128.Load((ushort*)(row + 32));
            Vector128<ushort> d = Vector128.CreateScalar(*(uint*)(row + 48)).AsUInt16();
            ushort power = 1;
            for (int place = 0; place < 5; place++, power *= 3)
            {
                Digits(a, power).Store(weights + 32 * place);
                Digits(b, power).Store(weights + 32 * place + 16);
                Digits(c, power).Store(weights + 160 + 16 * place);
                if (place < 4) *(uint*)(weights + 240 + 4 * place) = Digits(d, power).AsUInt32()[0];
            }
        }
    }

    /// <summary>The digits of 16 bytes at a place, + 127: bytes of even and of odd numbers in words of their own.</summary>
    private static Vector128<byte> Digits(Vector128<ushort> fractions, ushort power)
    {
        Vector128<ushort> mask = Vector128.Create((ushort)0x00ff), p = Vector128.Create(power), three = Vector128.Create((ushort)3);
        Vector128<ushort> even = ((fractions & mask) * p & mask) * three >> 8, odd = ((fractions >> 8) * p & mask) * three & ~mask;
        return (even | odd).AsByte() + Vector128.Create((byte)127);
    }
}

internal sealed unsafe class TQ2_0Decoder : PanelDecoder
{
    public override TensorType Type => TensorType.TQ2_0;

    protected override void Decode(byte* row, int columns, byte* weights, float* scales)
    {
        for (int k = 0; k < columns; k += 256, row += 66, weights += 256, scales += 16)
        {
            new Span<float>(scales, 16).Fill(Half(row + 64));
            for (int half = 0; half < 2; half++)
            {
                Vector256<ushort> pairs = Vector256.Load((ushort*)(row + 32 * half));
                for (int i = 0; i < 4; i++) (((pairs >> (2 * i)).AsByte() & Vector256.Create((byte)3)) + Vector256.Create((byte)127)).Store(weights + 128 * half + 32 * i);
            }
        }
    }
}

internal sealed unsafe class NVFP4Decoder : PanelDecoder
{
    public override TensorType Type => TensorType.NVFP4;

    protected override void Decode(byte* row, int columns, byte* weights, float* scales)
    {
        Vector128<byte> floats = Vector128.Create(MXFP4Format.DoubledFloats).AsByte() ^ Vector128.Create((byte)0x80);
        for (int k = 0; k < columns; k += 64, row += 36)
            for (int s = 0; s < 4; s++, weights += 16, scales++)
            {
                ulong pairs = *(ulong*)(row + 4 + 8 * s);
                *scales = NVFP4Format.HalfScale(row[s]);
                Vector128.Shuffle(floats, Vector128.Create(pairs, pairs >> 4).AsByte() & Vector128.Create((byte)15)).Store(weights);
            }
    }
}

/// <summary>A bit for the sign.</summary>
internal sealed unsafe class Q1_0Decoder : PanelDecoder
{
    public override TensorType Type => TensorType.Q1_0;

    protected override void Decode(byte* row, int columns, byte* weights, float* scales)
    {
        fixed (ulong* signs = CodebookWords.Signs)
            for (int k = 0; k < columns; k += 128, row += 18, weights += 128, scales += 8)
            {
                new Span<float>(scales, 8).Fill(Half(row));
                for (int i = 0; i < 16; i++) ((ulong*)weights)[i] = (signs[row[2 + i]] & 0x0202020202020202) + 0x7f7f7f7f7f7f7f7f;
            }
    }
}

internal sealed unsafe class Q2_0Decoder : PanelDecoder
{
    public override TensorType Type => TensorType.Q2_0;

    protected override void Decode(byte* row, int columns, byte* weights, float* scales)
    {
        for (int k = 0; k < columns; k += 64, row += 18, weights += 64, scales += 4)
        {
            new Span<float>(scales, 4).Fill(Half(row));
            for (int i = 0; i < 16; i++)
            {
                uint pairs = row[2 + i];
                ((uint*)weights)[i] = ((pairs | pairs << 6 | pairs << 12 | pairs << 18) & 0x03030303) + 0x7f7f7f7f;
            }
        }
    }
}
