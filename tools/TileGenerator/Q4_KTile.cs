namespace TileGenerator;

/// <summary>
/// Per 256 columns: 16 d and 16 dmin (float16 * 1024), then four chunks: scales [2][16] and mins [2][16] as bytes, eight groups of 64 bytes,
/// whose low nibbles are one sub-block of 32 columns and the high ones the next. Weight = d * scale * nibble - dmin * min. All of it is
/// read in order: scales gathered at the head of the block cost a sixth of the bandwidth.
/// </summary>
internal sealed class Q4_KTile : ByteTile
{
    private const int HeadBytes = 64, ScaleBytes = 64, ChunkBytes = 576;

    public override string Type => "Q4_K";

    public override void Begin(TileBody tile)
    {
        DeclareActivations(tile, null);
        tile.Code.Line("float* sums = x->NegativeSums;");
        foreach (string constant in tile.Set.Constants.Take(1)) tile.Code.Line(constant);
    }

    public override void Sum(TileBody tile)
    {
        InstructionSet set = tile.Set;
        CodeWriter code = tile.Code;
        code.Line($"byte* d = {tile.AtPass("panel", 0, 2)};");
        code.Line($"byte* scale = {tile.AtPass("panel", HeadBytes, 1)};");
        code.Line($"byte* w = {tile.AtPass("panel", HeadBytes + ScaleBytes, 4)};");
        BeginActivations(tile, corrections: false);
        code.Line($"float* xm = {tile.AtToken("sums", 1)};");
        code.Block("for (int block = columns / 256; block > 0; block--)", () =>
        {
            tile.EachRow(r => $"{set.Vector}<float> min{r} = {set.HalfScales(TileBody.Plus("d", 32 + r * set.Lanes * 2))};");
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
            });
            tile.EachRow(r => $"{set.Vector}<float> d{r} = {set.HalfScales(TileBody.Plus("d", r * set.Lanes * 2))};");
            tile.Each((r, t) => $"acc{r}_{t} = {set.MultiplyAdd($"inner{r}_{t}", "d" + r, $"acc{r}_{t}")};");
            code.Line($"d += {HeadBytes + 4 * ChunkBytes};");
            code.Line($"scale += {HeadBytes};");
            code.Line($"w += {HeadBytes};");
        });
    }

    /// <summary>Both sub-blocks of a chunk at once: fewer loads, two sums a token.</summary>
    private static void Both(TileBody tile)
    {
        InstructionSet set = tile.Set;
        Scales(tile, "s", 0);
        Scales(tile, "u", 1);
        tile.Each((r, t) => $"var s{r}_{t} = {set.Zero};");
        tile.Each((r, t) => $"var u{r}_{t} = {set.Zero};");
        Groups(tile, 8, (groups, quants) =>
        {
            foreach (Group g in groups) LoadNibbles(tile, g);
            Dot(tile, quants,
                ("s", [.. groups.Select(g => new Product($"low{g.Number}_", g.Dword))]),
                ("u", [.. groups.Select(g => new Product($"high{g.Number}_", g.Dword + BlockDwords * tile.Width))]));
        });
        Finish(tile, "s", 0);
        Finish(tile, "u", 1);
    }

    /// <summary>One sub-block of a chunk: wide tiles have registers for one sum a token.</summary>
    private static void Half(TileBody tile, bool high)
    {
        InstructionSet set = tile.Set;
        tile.Code.Block("", () =>
        {
            tile.Each((r, t) => $"var s{r}_{t} = {set.Zero};");
            Groups(tile, 8, (groups, quants) =>
            {
                foreach (Group g in groups)
                {
                    LoadBytes(tile, $"v{g.Number}_", g.Weights, prefetch: !high);
                    Unpack(tile, $"n{g.Number}_", r => high ? HighNibble(set, $"v{g.Number}_{r}") : LowNibble(set, $"v{g.Number}_{r}"));
                }
                Dot(tile, quants, ("s", [.. groups.Select(g => new Product($"n{g.Number}_", g.Dword + (high ? BlockDwords * tile.Width : 0)))]));
            });
            Scales(tile, "s", high ? 1 : 0);
            Finish(tile, "s", high ? 1 : 0);
        });
    }

    /// <summary>Declares the integer scales z and the mins m of a sub-block.</summary>
    private static void Scales(TileBody tile, string name, int half)
    {
        InstructionSet set = tile.Set;
        tile.EachRow(r => $"var z{name}{r} = {set.Scales(TileBody.Plus("scale", half * 16 + r * set.Lanes), signed: false)};");
        tile.EachRow(r => $"{set.Vector}<float> m{name}{r} = {set.ToSingle(set.WidenBytes(TileBody.Plus("scale", 32 + half * 16 + r * set.Lanes)))} * min{r};");
    }

    /// <summary>Adds sub-block <paramref name="half"/> of a chunk: the scaled sum into inner, the min into the accumulator.</summary>
    private static void Finish(TileBody tile, string sum, int half) => tile.Each((r, t) =>
    {
        InstructionSet set = tile.Set;
        int at = half * tile.Width + t;
        return $"inner{r}_{t} = {set.MultiplyAdd(set.ToSingle(set.Scaled($"{sum}{r}_{t}", $"z{sum}{r}")), $"{set.Vector}.Create(xs[{at}])", $"inner{r}_{t}")}; "
            + $"acc{r}_{t} = {set.MultiplyAdd($"m{sum}{r}", $"{set.Vector}.Create(xm[{at}])", $"acc{r}_{t}")};";
    });
}
