using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Inference.Kernels;

/// <summary>Where the rows of a product go: y[token][row] = bias + sum, or y += bias + sum.</summary>
internal readonly unsafe struct ProductOutput(float* y, float* bias, int rows, bool add)
{
    /// <summary>Takes <paramref name="count"/> sums of <paramref name="token"/> for the rows from <paramref name="row"/> on.</summary>
    public void Take(float* sums, int token, int row, int count)
    {
        float* to = y + (long)token * rows + row;
        float* b = bias is null ? null : bias + row;
        int n = Vector<float>.Count, i = 0;
        for (; i + n <= count; i += n)
        {
            Vector<float> sum = Vector.Load(sums + i);
            if (b is not null) sum += Vector.Load(b + i);
            if (add) sum += Vector.Load(to + i);
            sum.Store(to + i);
        }
        for (; i < count; i++) to[i] = (add ? to[i] : 0) + (sums[i] + (b is null ? 0 : b[i]));
    }
}

/// <summary>A weight of the host kernels: rows in panels, which are multiplied independently of each other.</summary>
internal abstract unsafe class HostWeight(string name, TensorType type, int rows, int columns) : Weight(name, type, rows, columns)
{
    /// <summary>Form of the activations that it multiplies.</summary>
    public abstract ActivationForm Form { get; }

    public abstract int PanelRows { get; }
    public int Panels => (Rows + PanelRows - 1) / PanelRows;

    /// <summary>Bytes of a panel, as far as cutting work into pieces is concerned.</summary>
    public abstract long PanelBytes { get; }

    /// <summary>
    /// Multiplies the panels from <paramref name="first"/> to <paramref name="end"/> - 1 by the tiles from <paramref name="tile"/> to
    /// <paramref name="tileEnd"/> - 1 of <paramref name="x"/> into <paramref name="y"/>. The memory of <paramref name="scratch"/> is 64 floats
    /// for each of these tokens, and at least <see cref="ScratchFloats"/>.
    /// </summary>
    public abstract void Multiply(int first, int end, ProductInput x, int tile, int tileEnd, in ProductOutput y, float* scratch);

    /// <summary>Floats of scratch that a product with so many columns needs: a decoded panel of bytes and a tile's sums, or a row.</summary>
    public static long ScratchFloats(int columns) => PanelDecoder.PanelBytes(columns) / sizeof(float) + 16 * 8;

    /// <summary>Hands on the sums [token][row] of one tile and one panel.</summary>
    protected void Take(float* sums, ProductInput.TokenTile* tile, int panel, in ProductOutput y)
    {
        int row = panel * PanelRows, rows = Math.Min(PanelRows, Rows - row);
        for (int i = 0; i < tile->Count; i++) y.Take(sums + i * PanelRows, tile->First + i, row, rows);
    }

    /// <summary>Decodes one row to float32.</summary>
    public abstract void DecodeRow(int row, Span<float> values);
}

/// <summary>A weight in the layout of the tiles.</summary>
internal sealed unsafe class PackedWeight : HostWeight
{
    private readonly PackedLayout layout;
    private readonly NativeBuffer panels;
    private readonly TileWidths tiles;

    public PackedWeight(string name, PackedLayout layout, int rows, int columns, SimdLevel level, WeightMemory memory) : base(name, layout.Type, rows, columns)
    {
        this.layout = layout;
        PanelBytes = layout.PanelBytes(columns);
        panels = memory.Allocate(PanelBytes * Panels);
        tiles = TileWidths.Of(level, Type);
        Form = level == SimdLevel.Avx512Vnni ? VnniTiles.Form(Type) ?? layout.Form : layout.Form;
    }

    public override ActivationForm Form { get; }
    public override int PanelRows => layout.PanelRows;
    public override long PanelBytes { get; }
    public override long PackedBytes => panels.Bytes;

    private byte* Panel(int panel) => panels.Pointer + panel * PanelBytes;

    /// <summary>Packs the rows of one panel from the file's form, or from decoded rows when the layout is F32; missing rows are zeros. False when a number does not fit.</summary>
    public bool Pack(in TensorSource source, int panel)
    {
        TensorFormat format = source.Format;
        bool decode = format.Type != Type;
        int count = Math.Min(PanelRows, Rows - panel * PanelRows), step = Math.Max(layout.ColumnsAtOnce, format.BlockElements);
        byte** rows = stackalloc byte*[PanelRows], columnsOf = stackalloc byte*[PanelRows];
        byte* zeros = stackalloc byte[(int)format.RowBytes(step)]; // stackalloc clears
        float* decoded = stackalloc float[decode ? PanelRows * step : 0];
        for (int row = 0; row < PanelRows; row++)
        {
            rows[row] = row < count ? (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(source.Row(panel * PanelRows + row))) : null; // mapped memory does not move
            columnsOf[row] = decode ? (byte*)(decoded + row * step) : zeros;
        }
        for (int column = 0; column < Columns; column += step)
        {
            int columns = Math.Min(step, Columns - column), bytes = (int)format.RowBytes(columns);
            nint from = (nint)format.RowBytes(column);
            for (int row = 0; row < count; row++)
            {
                byte* values = rows[row] + from;
                Prefetch(values + bytes, bytes);
                if (decode) format.Decode(new ReadOnlySpan<byte>(values, bytes), new Span<float>(decoded + row * step, columns));
                else columnsOf[row] = values;
            }
            if (!layout.Pack(columnsOf, columns, Panel(panel) + layout.PanelBytes(column))) return false;
        }
        return true;
    }

    /// <summary>Asks for what comes next of a row: a processor does not follow 16 or 64 rows at once.</summary>
    private static void Prefetch(byte* next, int bytes)
    {
        if (!Sse.IsSupported) return;
        for (int i = 0; i < bytes; i += 64) Sse.Prefetch0(next + i);
    }

    public override void Multiply(int first, int end, ProductInput x, int tile, int tileEnd, in ProductOutput y, float* scratch)
    {
        for (int panel = first; panel < end; panel++)
        {
            byte* weights = Panel(panel);
            if (layout.ColumnsPerPass > 0)
            {
                MultiplyInPasses(weights, panel, x, tile, tileEnd, y, scratch);
                continue;
            }
            for (ProductInput.TokenTile* t = x.Tile(tile); t < x.Tile(tileEnd); t++)
            {
                tiles.Run(t->Width, weights, Columns, &t->Input, scratch);
                Take(scratch, t, panel, y);
            }
        }
    }

    /// <summary>All tiles over one range of columns, then over the next; sums of all tokens stay in scratch.</summary>
    private void MultiplyInPasses(byte* weights, int panel, ProductInput x, int tile, int tileEnd, in ProductOutput y, float* scratch)
    {
        int start = x.Tile(tile)->First, step = layout.ColumnsPerPass;
        ProductInput.TokenTile* last = x.Tile(tileEnd - 1);
        NativeMemory.Clear(scratch, (nuint)((last->First + last->Width - start) * PanelRows * sizeof(float)));
        for (int column = 0; column < Columns; column += step)
            for (ProductInput.TokenTile* t = x.Tile(tile); t <= last; t++)
            {
                TileInput part = t->Input;
                part.Values += column * t->Width;
                part.ScaledValues += column * t->Width;
                tiles.Run(t->Width, weights + layout.PanelBytes(column), Math.Min(step, Columns - column), &part, scratch + (t->First - start) * PanelRows);
            }
        for (ProductInput.TokenTile* t = x.Tile(tile); t <= last; t++) Take(scratch + (t->First - start) * PanelRows, t, panel, y);
    }

    public override void DecodeRow(int row, Span<float> values) => layout.DecodeRow(Panel(row / PanelRows), row % PanelRows, values);

    public override void Dispose() => panels.Dispose();
}
