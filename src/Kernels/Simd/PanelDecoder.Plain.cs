using System.Runtime.Intrinsics;

namespace Inference.Kernels;

/// <summary>Five digits of three values in a byte: digit n is the integer part of 3 * the fraction that is left after n places.</summary>
internal sealed unsafe class TQ1_0Decoder : PanelDecoder
{
    public override TensorType Type => TensorType.TQ1_0;

    public override void Decode(byte* row, int columns, byte* panel)
    {
        for (int k = 0; k < columns; k += 256, row += 54)
        {
            float d = Half(row + 52);
            // Columns 0-159 are five places of 32 bytes, 160-239 of 16 bytes, the last 16 are four places of 4 bytes.
            uint power = 1;
            for (int place = 0; place < 5; place++, power *= 3)
            {
                for (int g = 0; g < 8; g++) Set(place * 8 + g, *(uint*)(row + 4 * g), power);
                for (int g = 0; g < 4; g++) Set(40 + place * 4 + g, *(uint*)(row + 32 + 4 * g), power);
                if (place < 4) Set(60 + place, *(uint*)(row + 48), power);
            }
            for (int s = 0; s < 8; s++) SetScales(panel + s * BlockBytes, d, d);
            panel += 8 * BlockBytes;

            void Set(int group, uint fractions, uint power) => SetFour(panel + group / 8 * BlockBytes, group % 8, Digits(fractions, power));
        }
    }

    /// <summary>The digits of four bytes at a place, + 127.</summary>
    private static uint Digits(uint fractions, uint power)
    {
        const uint mask = 0x00ff00ff;
        uint even = ((fractions & mask) * power & mask) * 3 >> 8 & mask, odd = ((fractions >> 8 & mask) * power & mask) * 3 >> 8 & mask;
        return (even | odd << 8) + 0x7f7f7f7f;
    }
}

internal sealed unsafe class TQ2_0Decoder : PanelDecoder
{
    public override TensorType Type => TensorType.TQ2_0;

    public override void Decode(byte* row, int columns, byte* panel)
    {
        for (int k = 0; k < columns; k += 256, row += 66)
        {
            float d = Half(row + 64);
            for (int s = 0; s < 8; s++, panel += BlockBytes)
            {
                SetScales(panel, d, d);
                for (int g = 0; g < 8; g++) SetFour(panel, g, (*(uint*)(row + s / 4 * 32 + 4 * g) >> (s % 4 * 2) & 0x03030303) + 0x7f7f7f7f);
            }
        }
    }
}

internal sealed unsafe class NVFP4Decoder : PanelDecoder
{
    public override TensorType Type => TensorType.NVFP4;

    public override void Decode(byte* row, int columns, byte* panel)
    {
        Vector128<sbyte> floats = Vector128.Create(MXFP4Format.DoubledFloats);
        for (int k = 0; k < columns; k += 64, row += 36)
            for (int s = 0; s < 2; s++, panel += BlockBytes)
            {
                SetScales(panel, NVFP4Format.HalfScale(row[2 * s]), NVFP4Format.HalfScale(row[2 * s + 1]));
                for (int half = 0; half < 2; half++)
                {
                    ulong pairs = *(ulong*)(row + 4 + 16 * s + 8 * half);
                    Vector128<byte> nibbles = Vector128.Create(pairs, pairs >> 4).AsByte() & Vector128.Create((byte)15);
                    Vector128<ulong> weights = (Vector128.Shuffle(floats, nibbles.AsSByte()).AsByte() ^ Vector128.Create((byte)0x80)).AsUInt64();
                    SetEight(panel, 4 * half, weights[0]);
                    SetEight(panel, 4 * half + 2, weights[1]);
                }
            }
    }
}

/// <summary>A bit for the sign.</summary>
internal sealed unsafe class Q1_0Decoder : PanelDecoder
{
    public override TensorType Type => TensorType.Q1_0;

    public override void Decode(byte* row, int columns, byte* panel)
    {
        for (int k = 0; k < columns; k += 128, row += 18)
        {
            float d = Half(row);
            for (int s = 0; s < 4; s++, panel += BlockBytes)
            {
                uint bits = *(uint*)(row + 2 + 4 * s);
                SetScales(panel, d, d);
                // The product puts bit i of a nibble at bit 8 i.
                for (int g = 0; g < 8; g++) SetFour(panel, g, ((bits >> (4 * g) & 15) * 0x00204081 & 0x01010101) * 2 + 0x7f7f7f7f);
            }
        }
    }
}

internal sealed unsafe class Q2_0Decoder : PanelDecoder
{
    public override TensorType Type => TensorType.Q2_0;

    public override void Decode(byte* row, int columns, byte* panel)
    {
        for (int k = 0; k < columns; k += 64, row += 18)
        {
            float d = Half(row);
            for (int s = 0; s < 2; s++, panel += BlockBytes)
            {
                SetScales(panel, d, d);
                for (int g = 0; g < 8; g++)
                {
                    uint pairs = row[2 + 8 * s + g];
                    SetFour(panel, g, ((pairs | pairs << 6 | pairs << 12 | pairs << 18) & 0x03030303) + 0x7f7f7f7f);
                }
            }
        }
    }
}
