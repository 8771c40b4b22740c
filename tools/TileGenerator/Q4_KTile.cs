namespace TileGenerator;

/// <summary>
/// Q4_K, Q5_K. Per 256 columns: 16 d and 16 dmin (float16 * 1024), then four chunks: scales [2][16] and mins [2][16] as bytes, for Q5_K high bits [2] of 64
/// bytes (bit g for group g), eight groups of 64 bytes, whose low nibbles are one sub-block of 32 columns and the high ones the next.
/// Weight = d * scale * q - dmin * min. All of it is read in order: scales gathered at the head of the block cost a sixth of the bandwidth.
/// </summary>
internal class Q4_KTile : ByteTile
{
    private const int HeadBytes = 64, ScaleBytes = 64;

    public override string Type => "Q4_K";

    /// <summary>Whether q has a fifth bit. Its sums would leave int16: 16 is taken off q, and 16 * d * scale off the min.</summary>
    protected virtual bool HasHighBits => false;

    private int BitBytes => HasHighBits ? 128 : 0;
    private int ChunkBytes => ScaleBytes + BitBytes + 512;

    public override void Begin(TileBody tile)
    {
        DeclareActivations(tile, HasHighBits ? "Corrections16" : null);
        tile.Code.Line("float* sums = x->NegativeSums;");
        foreach (string constant in tile.Set.Constants.Take(1)) tile.Code.Line(constant);
    }

    public override void Sum(TileBody tile)
    {
        InstructionSet set = tile.Set;
        CodeWriter code = tile.Code;
        code.Line($"byte* d = {tile.AtPass("panel", 0, 2)};");
        code.Line($"byte* scale = {tile.AtPass("panel", HeadBytes, 1)};");
        code.Line($"byte* w = {tile.AtPass("panel", HeadBytes + ScaleBytes + BitBytes, 4)};");
        BeginActivations(tile, corrections: HasHighBits);
        code.Line($"float* xm = {tile.AtToken("sums", 1)};");
        code.Block("for (int block = columns / 256; block > 0; block--)", () =>
        {
            tile.EachRow(r => $"{set.Vector}<float> min{r} = {set.HalfScales(TileBody.Plus("d", 32 + r * set.Lanes * 2))};");
            if (HasHighBits) tile.EachRow(r => $"{set.Vector}<float> zero{r} = {set.HalfScales(TileBody.Plus("d", r * set.Lanes * 2))} * {set.Vector}.Create(-16f);");
            tile.Each((r, t) => $"{set.Vector}<float> inner{r}_{t} = {set.Vector}<float>.Zero;");
            code.Block("for (int chunk = 0; chunk < 4; chunk++)", () =>
            {
                tile.Prefetch("scale", 0);
                if (tile.Unroll) Both(tile);
                else
                {
                    Half(tile, high: false);
                    Half(tile, high: true);
                }
                code.Line($"w += {ChunkBytes};");
                code.Line($"scale += {ChunkBytes};");
                code.Line($"q += {2 * BlockDwords * tile.Width};");
                code.Line($"xs += {2 * tile.Width};");
                code.Line($"xm += {2 * tile.Width};");
                if (HasHighBits) code.Line($"c += {2 * tile.Width};");
            });
            tile.EachRow(r => $"{set.Vector}<float> d{r} = {set.HalfScales(TileBody.Plus("d", r * set.Lanes * 2))};");
            tile.Each((r, t) => $"acc{r}_{t} = {set.MultiplyAdd($"inner{r}_{t}", "d" + r, $"acc{r}_{t}")};");
            code.Line($"d += {HeadBytes + 4 * ChunkBytes};");
            code.Line($"scale += {HeadBytes};");
            code.Line($"w += {HeadBytes};");
        });
    }

    /// <summary>Both sub-blocks of a chunk at once: fewer loads, two sums a token.</summary>
    private void Both(TileBody tile)
    {
        InstructionSet set = tile.Set;
        Scales(tile, "s", 0);
        Scales(tile, "u", 1);
        Start(tile, "s", 0);
        Start(tile, "u", 1);
        if (HasHighBits)
        {
            LoadBytes(tile, "hs", "w - 128");
            LoadBytes(tile, "hu", "w - 64");
        }
        Groups(tile, 8, (groups, quants) =>
        {
            foreach (Group g in groups) LoadNibbles(tile, g, HasHighBits ? (r, high) => HighBit(set, (high == 0 ? "hs" : "hu") + r, g.Dword) : null);
            Dot(tile, quants,
                ("s", [.. groups.Select(g => new Product($"low{g.Number}_", g.Dword))]),
                ("u", [.. groups.Select(g => new Product($"high{g.Number}_", g.Dword + BlockDwords * tile.Width))]));
        });
        Finish(tile, "s", 0);
        Finish(tile, "u", 1);
    }

    /// <summary>One sub-block of a chunk: wide tiles have registers for one sum a token.</summary>
    private void Half(TileBody tile, bool high)
    {
        InstructionSet set = tile.Set;
        tile.Code.Block("", () =>
        {
            Start(tile, "s", high ? 1 : 0);
            if (HasHighBits) LoadBytes(tile, "h", high ? "w - 64" : "w - 128");
            Groups(tile, 8, (groups, quants) =>
            {
                foreach (Group g in groups)
                {
                    LoadBytes(tile, $"v{g.Number}_", g.Weights, prefetch: !high);
                    string Nibble(int r) => high ? HighNibble(set, $"v{g.Number}_{r}") : LowNibble(set, $"v{g.Number}_{r}");
                    Unpack(tile, $"n{g.Number}_", r => HasHighBits ? $"({Nibble(r)}) | ({HighBit(set, "h" + r, g.Dword)})" : Nibble(r));
                }
                if (HasHighBits) tile.EachRow(r => $"h{r} = {set.Vector}.ShiftRightLogical(h{r}.AsUInt16(), {groups.Length}).AsByte();");
                Dot(tile, quants, ("s", [.. groups.Select(g => new Product($"n{g.Number}_", g.Dword + (high ? BlockDwords * tile.Width : 0)))]));
            });
            Scales(tile, "s", high ? 1 : 0);
            Finish(tile, "s", high ? 1 : 0);
        });
    }

    private void Start(TileBody tile, string sum, int half) =>
        tile.Each((r, t) => $"var {sum}{r}_{t} = {(HasHighBits ? tile.Set.Start($"c[{half * tile.Width + t}]", 1) : tile.Set.Zero)};");

    /// <summary>Declares the integer scales z and the mins m of a sub-block.</summary>
    private void Scales(TileBody tile, string name, int half)
    {
        InstructionSet set = tile.Set;
        tile.EachRow(r => $"var z{name}{r} = {set.Scales(TileBody.Plus("scale", half * 16 + r * set.Lanes), signed: false)};");
        tile.EachRow(r =>
        {
            string Single(int offset) => set.ToSingle(set.WidenBytes(TileBody.Plus("scale", offset + half * 16 + r * set.Lanes)));
            string min = $"{Single(32)} * min{r}";
            return $"{set.Vector}<float> m{name}{r} = {(HasHighBits ? set.MultiplyAdd(Single(0), "zero" + r, min) : min)};";
        });
    }

    /// <summary>Adds sub-block <paramref name="half"/> of a chunk: the scaled sum into inner, the min into the accumulator.</summary>
    private void Finish(TileBody tile, string sum, int half) => tile.Each((r, t) =>
    {
        InstructionSet set = tile.Set;
        int at = half * tile.Width + t;
        return $"inner{r}_{t} = {set.MultiplyAdd(set.ToSingle(set.Scaled($"{sum}{r}_{t}", $"z{sum}{r}")), $"{set.Vector}.Create(xs[{at}])", $"inner{r}_{t}")}; "
            + $"acc{r}_{t} = {set.MultiplyAdd($"m{sum}{r}", $"{set.Vector}.Create(xm[{at}])", $"acc{r}_{t}")};";
    });
}

internal sealed class Q5_KTile : Q4_KTile
{
    public override string Type => "Q5_K";
    protected override bool HasHighBits => true;
}
