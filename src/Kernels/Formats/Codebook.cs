using System.Numerics;

namespace Inference.Kernels;

/// <summary>A table of short rows of small integers. The IQ1, IQ2 and IQ3 types store the number of a row where others store quants.</summary>
internal sealed partial class Codebook
{
    private readonly sbyte[] values;

    /// <param name="rows">Number of rows, a power of two.</param>
    /// <param name="width">Entries of a row.</param>
    /// <param name="digits">What an entry may be. A row as a number has entry i as its i-th digit of 2 bits (3 digits) or 3 bits (8 digits).</param>
    /// <param name="encoded">
    /// The rows in ascending order: the distance of each number from the one before, less one, seven bits to a byte from the lowest, the top bit set where
    /// more follow; base64.
    /// </param>
    private Codebook(int rows, int width, sbyte[] digits, string encoded)
    {
        (Rows, Width, values) = (rows, width, new sbyte[rows * width]);
        byte[] bytes = Convert.FromBase64String(encoded);
        int bits = digits.Length == 3 ? 2 : 3, number = -1, at = 0;
        for (int row = 0; row < rows; row++)
        {
            int step = 0, shift = 0;
            do step |= (bytes[at] & 127) << (7 * shift++);
            while (bytes[at++] >= 128);
            number += step + 1;
            for (int i = 0; i < width; i++) values[row * width + i] = digits[number >> (bits * i) & (1 << bits) - 1];
        }
    }

    public int Rows { get; }

    public int Width { get; }

    /// <summary>[row][entry]</summary>
    public ReadOnlySpan<sbyte> Values => values;

    /// <summary>A row; an index beyond the last wraps, so no bits of a file lead out of the table.</summary>
    public ReadOnlySpan<sbyte> Row(int index) => values.AsSpan((index & (Rows - 1)) * Width, Width);

    /// <summary>weights[i] = scale * entry i of a row, negative where bit i of <paramref name="signs"/> is set.</summary>
    public void Decode(int index, int signs, float scale, Span<float> weights)
    {
        ReadOnlySpan<sbyte> row = Row(index);
        for (int i = 0; i < row.Length; i++)
        {
            float weight = scale * row[i];
            weights[i] = (signs >> i & 1) != 0 ? -weight : weight;
        }
    }

    /// <summary>Eight signs of which seven are stored: their number is even. (ggml ksigns_iq2xs)</summary>
    public static int EvenSigns(uint stored) => (int)(stored & 127 | (uint)(BitOperations.PopCount(stored & 127) & 1) << 7);
}
