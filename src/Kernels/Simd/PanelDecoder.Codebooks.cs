using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>Tables of the IQ types as words of eight (or four) bytes.</summary>
internal static class CodebookWords
{
    /// <summary>Added to bytes that none of them overflows, it adds or takes one from each.</summary>
    public const ulong Ones = 0x0101010101010101, MinusOnes = unchecked(0 - Ones);
    private const ulong TopBits = 0x8080808080808080;

    /// <summary>Bytes 0xff where bit i of the index is set.</summary>
    public static readonly ulong[] Signs = [.. Enumerable.Range(0, 256).Select(Mask)];

    /// <summary>The same for seven bits and an eighth that makes their number even.</summary>
    public static readonly ulong[] EvenSigns = [.. Enumerable.Range(0, 128).Select(i => Mask(Codebook.EvenSigns((uint)i)))];

    public static readonly ulong[] IQ2_XXS = Words(Codebook.IQ2_XXS), IQ2_XS = Words(Codebook.IQ2_XS), IQ2_S = Words(Codebook.IQ2_S);
    public static readonly uint[] IQ3_XXS = Fours(Codebook.IQ3_XXS), IQ3_S = Fours(Codebook.IQ3_S);

    /// <summary>8 * entry + 128: a shift of an eighth is one up or down.</summary>
    public static readonly ulong[] IQ1 = [.. MemoryMarshal.Cast<sbyte, ulong>([.. Codebook.IQ1.Values.ToArray().Select(v => (sbyte)(v * 8 ^ 0x80))])];

    private static ulong Mask(int bits)
    {
        ulong mask = 0;
        for (int i = 0; i < 8; i++)
            if ((bits >> i & 1) != 0) mask |= 0xfful << (8 * i);
        return mask;
    }

    private static ulong[] Words(Codebook book) => MemoryMarshal.Cast<sbyte, ulong>(book.Values).ToArray();
    private static uint[] Fours(Codebook book) => MemoryMarshal.Cast<sbyte, uint>(book.Values).ToArray();

    /// <summary>Entries, negative under the mask, + 128. (Entries are above zero, so that no carry leaves a byte.)</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Signed(ulong entries, ulong mask) => (entries ^ mask) + (mask & Ones) ^ TopBits;
}

internal sealed unsafe class IQ2_XXSDecoder : PanelDecoder
{
    public override TensorType Type => TensorType.IQ2_XXS;

    protected override void Decode(byte* row, int columns, byte* weights, float* scales)
    {
        fixed (ulong* words = CodebookWords.IQ2_XXS, signs = CodebookWords.EvenSigns)
            for (int k = 0; k < columns; k += 256, row += 66)
            {
                float d = Half(row) * 0.125f;
                for (int s = 0; s < 8; s++, weights += 32, scales += 2)
                {
                    byte* sub = row + 2 + 8 * s;
                    uint word = *(uint*)(sub + 4);
                    float scale = d * (1 + 2 * (int)(word >> 28));
                    (scales[0], scales[1]) = (scale, scale);
                    for (int g = 0; g < 4; g++) ((ulong*)weights)[g] = CodebookWords.Signed(words[sub[g]], signs[word >> (7 * g) & 127]);
                }
            }
    }
}

internal sealed unsafe class IQ2_XSDecoder : PanelDecoder
{
    public override TensorType Type => TensorType.IQ2_XS;

    protected override void Decode(byte* row, int columns, byte* weights, float* scales)
    {
        fixed (ulong* words = CodebookWords.IQ2_XS, signs = CodebookWords.EvenSigns)
            for (int k = 0; k < columns; k += 256, row += 74)
            {
                float d = Half(row) * 0.125f;
                for (int s = 0; s < 8; s++, weights += 32, scales += 2)
                {
                    ushort* sub = (ushort*)(row + 2) + 4 * s;
                    int pair = row[66 + s];
                    (scales[0], scales[1]) = (d * (1 + 2 * (pair & 15)), d * (1 + 2 * (pair >> 4)));
                    for (int g = 0; g < 4; g++) ((ulong*)weights)[g] = CodebookWords.Signed(words[sub[g] & 511], signs[sub[g] >> 9]);
                }
            }
    }
}

internal sealed unsafe class IQ2_SDecoder : PanelDecoder
{
    public override TensorType Type => TensorType.IQ2_S;

    protected override void Decode(byte* row, int columns, byte* weights, float* scales)
    {
        fixed (ulong* words = CodebookWords.IQ2_S, signs = CodebookWords.Signs)
            for (int k = 0; k < columns; k += 256, row += 82)
            {
                float d = Half(row) * 0.125f;
                for (int s = 0; s < 8; s++, weights += 32, scales += 2)
                {
                    byte* low = row + 2 + 4 * s;
                    int high = row[66 + s], pair = row[74 + s];
                    (scales[0], scales[1]) = (d * (1 + 2 * (pair & 15)), d * (1 + 2 * (pair >> 4)));
                    for (int g = 0; g < 4; g++) ((ulong*)weights)[g] = CodebookWords.Signed(words[low[g] | (high >> (2 * g) & 3) << 8], signs[low[32 + g]]);
                }
            }
    }
}

internal sealed unsafe class IQ3_XXSDecoder : PanelDecoder
{
    public override TensorType Type => TensorType.IQ3_XXS;

    protected override void Decode(byte* row, int columns, byte* weights, float* scales)
    {
        fixed (uint* fours = CodebookWords.IQ3_XXS)
        fixed (ulong* signs = CodebookWords.EvenSigns)
            for (int k = 0; k < columns; k += 256, row += 98)
            {
                float d = Half(row) * 0.25f;
                for (int s = 0; s < 8; s++, weights += 32, scales += 2)
                {
                    byte* sub = row + 2 + 8 * s;
                    uint word = *(uint*)(row + 66 + 4 * s);
                    float scale = d * (1 + 2 * (int)(word >> 28));
                    (scales[0], scales[1]) = (scale, scale);
                    for (int g = 0; g < 4; g++)
                        ((ulong*)weights)[g] = CodebookWords.Signed(fours[sub[2 * g]] | (ulong)fours[sub[2 * g + 1]] << 32, signs[word >> (7 * g) & 127]);
                }
            }
    }
}

internal sealed unsafe class IQ3_SDecoder : PanelDecoder
{
    public override TensorType Type => TensorType.IQ3_S;

    protected override void Decode(byte* row, int columns, byte* weights, float* scales)
    {
        fixed (uint* fours = CodebookWords.IQ3_S)
        fixed (ulong* signs = CodebookWords.Signs)
            for (int k = 0; k < columns; k += 256, row += 110)
            {
                float d = Half(row);
                for (int s = 0; s < 8; s++, weights += 32, scales += 2)
                {
                    byte* low = row + 2 + 8 * s;
                    int high = row[66 + s];
                    float scale = d * (1 + 2 * (row[106 + s / 2] >> (s % 2 * 4) & 15));
                    (scales[0], scales[1]) = (scale, scale);
                    for (int g = 0; g < 4; g++)
                    {
                        uint first = fours[low[2 * g] | (high >> (2 * g) & 1) << 8], second = fours[low[2 * g + 1] | (high >> (2 * g + 1) & 1) << 8];
                        ((ulong*)weights)[g] = CodebookWords.Signed(first | (ulong)second << 32, signs[row[74 + 4 * s + g]]);
                    }
                }
            }
    }
}

/// <summary>Weight = scale * (entry + or - 1/8): here scale / 8 * (8 * entry + or - 1).</summary>
internal sealed unsafe class IQ1_SDecoder : PanelDecoder
{
    public override TensorType Type => TensorType.IQ1_S;

    protected override void Decode(byte* row, int columns, byte* weights, float* scales)
    {
        fixed (ulong* words = CodebookWords.IQ1)
            for (int k = 0; k < columns; k += 256, row += 50)
            {
                float d = Half(row) * 0.125f;
                for (int s = 0; s < 8; s++, weights += 32, scales += 2)
                {
                    byte* low = row + 2 + 4 * s;
                    int word = *(ushort*)(row + 34 + 2 * s);
                    float scale = d * (1 + 2 * (word >> 12 & 7));
                    ulong shift = (word & 0x8000) != 0 ? CodebookWords.MinusOnes : CodebookWords.Ones;
                    (scales[0], scales[1]) = (scale, scale);
                    for (int g = 0; g < 4; g++) ((ulong*)weights)[g] = words[low[g] | (word >> (3 * g) & 7) << 8] + shift;
                }
            }
    }
}

internal sealed unsafe class IQ1_MDecoder : PanelDecoder
{
    public override TensorType Type => TensorType.IQ1_M;

    protected override void Decode(byte* row, int columns, byte* weights, float* scales)
    {
        fixed (ulong* words = CodebookWords.IQ1)
            for (int k = 0; k < columns; k += 256, row += 56)
            {
                ushort* tail = (ushort*)(row + 48);
                // The bits of d are the top nibbles of the four words of scales.
                float d = Half16.ToSingle((ushort)(tail[0] >> 12 | tail[1] >> 12 << 4 | tail[2] >> 12 << 8 | tail[3] >> 12 << 12)) * 0.125f;
                for (int s = 0; s < 8; s++, weights += 32, scales += 2)
                {
                    byte* low = row + 4 * s;
                    int pair = tail[s / 2] >> (s % 2 * 6), nibbles = *(ushort*)(row + 32 + 2 * s);
                    (scales[0], scales[1]) = (d * (1 + 2 * (pair & 7)), d * (1 + 2 * (pair >> 3 & 7)));
                    for (int g = 0; g < 4; g++, nibbles >>= 4)
                        ((ulong*)weights)[g] = words[low[g] | (nibbles & 7) << 8] + ((nibbles & 8) != 0 ? CodebookWords.MinusOnes : CodebookWords.Ones);
                }
            }
    }
}
