using System.Numerics;

namespace Inference.Kernels;

/// <summary>
/// A weight in the file's form, which is decoded whenever it is multiplied: for formats without a packed form, for numbers beyond it, and for loads without
/// packing, where the file stays mapped and nothing is copied.
/// </summary>
internal abstract unsafe class StoredWeight : HostWeight
{
    private readonly NativeBuffer? copy;

    /// <param name="source">The matrix; it must stay valid unless it is copied.</param>
    /// <param name="type">Type it counts as.</param>
    /// <param name="keep">Whether to copy the file's bytes.</param>
    protected StoredWeight(in TensorSource source, TensorType type, bool keep) : base(source.Name, type, source.Rows, source.Columns)
    {
        Source = source;
        if (!keep) return;
        copy = new NativeBuffer(source.Bytes, clear: false);
        Buffer.MemoryCopy((void*)source.Data, copy.Pointer, copy.Bytes, source.Bytes);
        Source = source with { Data = (nint)copy.Pointer };
    }

    protected TensorSource Source { get; }

    public override int PanelRows => 16;
    public override long PanelBytes => Source.Format.RowBytes(Columns) * PanelRows;
    public override long PackedBytes => Source.Bytes;

    public override void DecodeRow(int row, Span<float> values) => Source.DecodeRow(row, values);

    public override void Dispose() => copy?.Dispose();

    /// <summary>The weight of a format that has no packed form, or is not to be packed.</summary>
    /// <param name="source">The matrix.</param>
    /// <param name="exact">Whether to multiply activations as they are, though the format is quantised.</param>
    /// <param name="keep">Whether to copy the file's bytes.</param>
    /// <param name="level">Instruction set of the tiles.</param>
    public static StoredWeight Create(in TensorSource source, bool exact, bool keep, SimdLevel level) =>
        !exact && PanelDecoder.Find(source.Format.Type) is { } decoder ? new PanelwiseWeight(source, decoder, keep, level) : new RowwiseWeight(source, exact, keep);
}

/// <summary>Panels of 16 rows are decoded to bytes, and multiplied by all tokens with the tiles for these.</summary>
internal sealed unsafe class PanelwiseWeight(in TensorSource source, PanelDecoder decoder, bool keep, SimdLevel level) : StoredWeight(source, source.Format.Type, keep)
{
    private readonly TileWidths tiles = TileWidths.Decoded(level);

    public override ActivationForm Form => ActivationForm.Int8 | ActivationForm.Zero32;

    public override void Multiply(int first, int end, ProductInput x, int tile, int tileEnd, in ProductOutput y, float* scratch)
    {
        byte* panel = (byte*)scratch;
        float* sums = scratch + PanelDecoder.PanelBytes(Columns) / sizeof(float);
        long rowBytes = Source.Format.RowBytes(Columns), stepBytes = Source.Format.RowBytes(256);
        for (int p = first; p < end; p++)
        {
            int row = p * PanelRows;
            decoder.DecodePanel((byte*)Source.Data + row * rowBytes, rowBytes, stepBytes, Math.Min(PanelRows, Rows - row), Columns, panel);
            for (ProductInput.TokenTile* t = x.Tile(tile); t < x.Tile(tileEnd); t++)
            {
                tiles.Run(t->Width, panel, Columns, &t->Input, sums);
                Take(sums, t, p, y);
            }
        }
    }
}

/// <summary>Each row is decoded to float32, and multiplied by all tokens.</summary>
internal sealed unsafe class RowwiseWeight(in TensorSource source, bool exact, bool keep) : StoredWeight(source, exact ? TensorType.F32 : source.Format.Type, keep)
{
    public override ActivationForm Form { get; } = !exact && source.Format.BlockElements > 1 ? ActivationForm.RoundedRows : ActivationForm.Rows;

    public override void Multiply(int first, int end, ProductInput x, int tile, int tileEnd, in ProductOutput y, float* scratch)
    {
        int token = x.Tile(tile)->First, tokenEnd = x.Tile(tileEnd - 1)->First + x.Tile(tileEnd - 1)->Count;
        for (int row = first * PanelRows; row < Math.Min(end * PanelRows, Rows); row++)
        {
            Source.DecodeRow(row, new Span<float>(scratch, Columns));
            for (int t = token; t < tokenEnd; t++)
            {
                float sum = Dot(scratch, x.Row(t, Form == ActivationForm.RoundedRows), Columns);
                y.Take(&sum, t, row, 1);
            }
        }
    }

    private static float Dot(float* w, float* x, int columns)
    {
        int n = Vector<float>.Count, k = 0;
        Vector<float> a = default, b = default;
        for (; k + 2 * n <= columns; k += 2 * n)
        {
            a += Vector.Load(w + k) * Vector.Load(x + k);
            b += Vector.Load(w + k + n) * Vector.Load(x + k + n);
        }
        float sum = Vector.Sum(a + b);
        for (; k < columns; k++) sum += w[k] * x[k];
        return sum;
    }
}
