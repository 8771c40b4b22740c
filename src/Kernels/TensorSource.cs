namespace Inference.Kernels;

/// <summary>A matrix as it stands in a file: <see cref="Rows"/> rows of <see cref="Columns"/> elements, row after row, in <see cref="Format"/>.</summary>
/// <param name="Name">Tensor name, for messages.</param>
/// <param name="Format">How the bytes are to be read.</param>
/// <param name="Rows">Output features (rows of the matrix); 1 for a vector.</param>
/// <param name="Columns">Input features, a multiple of the format's block.</param>
/// <param name="Data">First byte; valid while the file is mapped.</param>
internal readonly unsafe record struct TensorSource(string Name, TensorFormat Format, int Rows, int Columns, nint Data)
{
    /// <summary>
    /// Not 0: the file has the rows of each head of so many (an even number that divides <see cref="Rows"/>) in two halves, and row 2i + j of a head is the
    /// i-th of half j. It makes pairs that rotate together stand side by side without copying the matrix. Default 0: rows are in order.
    /// </summary>
    public int HalvedHead { get; init; }

    /// <summary>Bytes of all rows.</summary>
    public long Bytes => Format.RowBytes(Columns) * Rows;

    /// <summary>The bytes of one row.</summary>
    public ReadOnlySpan<byte> Row(int row)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)Rows);
        if (HalvedHead != 0)
        {
            int inHead = row % HalvedHead;
            row += inHead / 2 + inHead % 2 * (HalvedHead / 2) - inHead;
        }
        long bytes = Format.RowBytes(Columns);
        return new((byte*)Data + row * bytes, checked((int)bytes));
    }

    /// <summary>Decodes one row to float32; <paramref name="values"/> has <see cref="Columns"/> elements.</summary>
    public void DecodeRow(int row, Span<float> values) => Format.Decode(Row(row), values[..Columns]);
}
