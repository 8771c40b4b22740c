namespace TileGenerator;

/// <summary>
/// Per 256 columns: 16 d, 16 dmin (float16 * 1024), scales [8][16], mins [8][16] as bytes, then four chunks of eight groups of 64 bytes:
/// a chunk's low nibbles are one sub-block of 32 columns, its high nibbles the next. Weight = d * scale * nibble - dmin * min.
/// </summary>
internal sealed class Q4_KTile : ByteTile
{
    private const int BlockBytes = 2368, Scales = 64, Mins = 192, Quants = 320, ChunkBytes = 512;

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
        code.Line($"byte* scale = {tile.AtPass("panel", Scales, 1)};");
        code.Line($"byte* w = {tile.AtPass("panel", Quants, 4)};");
        BeginActivations(tile, corrections: false);
        code.Line("float* xm = sums;");
        code.Block("for (int block = columns / 256; block > 0; block--)", () =>
        {
            tile.EachRow(r => $"{set.Vector}<float> min{r} = {set.HalfScales(TileBody.Plus("d", 32 + r * set.Lanes * 2))};");
            tile.Each((r, t) => $"{set.Vector}<float> inner{r}_{t} = {set.Vector}<float>.Zero;");
            code.Block("for (int chunk = 0; chunk < 4; chunk++)", () =>
            {
                tile.Prefetch("w", ChunkBytes + (BlockBytes - 4 * ChunkBytes) / 4);
                if (tile.Unroll) Both(tile);
                else
                {
                    Half(tile, high: false);
                    Half(tile, high: true);
                }
                code.Line($"w += {ChunkBytes};");
                code.Line("scale += 32;");
                code.Line($"q += {2 * BlockDwords * tile.Tokens};");
                code.Line($"xs += {2 * tile.Tokens};");
                code.Line($"xm += {2 * tile.Tokens};");
            });
            tile.EachRow(r => $"{set.Vector}<float> d{r} = {set.HalfScales(TileBody.Plus("d", r * set.Lanes * 2))};");
            tile.Each((r, t) => $"acc{r}_{t} = {set.MultiplyAdd($"inner{r}_{t}", "d" + r, $"acc{r}_{t}")};");
            code.Line($"d += {BlockBytes};");
            code.Line($"scale += {BlockBytes - 128};");
            code.Line($"w += {BlockBytes - 4 * ChunkBytes};");
        });
    }

    /// <summary>Both sub-blocks of a chunk at once: fewer loads, two sums a token.</summary>
    private static void Both(TileBody tile)
    {
        InstructionSet set = tile.Set;
        tile.Each((r, t) => $"var s{r}_{t} = {set.Zero};");
        tile.Each((r, t) => $"var u{r}_{t} = {set.Zero};");
        for (int g = 0; g < 8; g++)
        {
            string group = g.ToString();
            tile.Code.Block("", () =>
            {
                LoadBytes(tile, "v", TileBody.Plus("w", int.Parse(group) * 64));
                Unpack(tile, "low", r => LowNibble(set, "v" + r));
                Unpack(tile, "high", r => HighNibble(set, "v" + r));
                Dot(tile, ("low", group, "s"), ("high", Index(BlockDwords * tile.Tokens, group), "u"));
            });
        }
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
            tile.Code.Block("for (int g = 0; g < 8; g++)", () =>
            {
                LoadBytes(tile, "v", "w + g * 64");
                Unpack(tile, "n", r => high ? HighNibble(set, "v" + r) : LowNibble(set, "v" + r));
                Dot(tile, ("n", high ? Index(BlockDwords * tile.Tokens, "g") : "g", "s"));
            });
            Finish(tile, "s", high ? 1 : 0);
        });
    }

    /// <summary>Adds sub-block <paramref name="half"/> of a chunk: the scaled sum into inner, the min into the accumulator.</summary>
    private static void Finish(TileBody tile, string sum, int half) => tile.Code.Block("", () =>
    {
        InstructionSet set = tile.Set;
        tile.EachRow(r => $"var z{r} = {set.Scales(TileBody.Plus("scale", half * 16 + r * set.Lanes), signed: false)};");
        tile.EachRow(r => $"{set.Vector}<float> m{r} = {set.ToSingle(set.WidenBytes(TileBody.Plus("scale", Mins - Scales + half * 16 + r * set.Lanes)))} * min{r};");
        for (int r = 0; r < tile.Rows; r++)
        {
            for (int t = 0; t < tile.Tokens; t++)
            {
                int at = half * tile.Tokens + t;
                tile.Code.Line($"inner{r}_{t} = {set.MultiplyAdd(set.ToSingle(set.Scaled($"{sum}{r}_{t}", "z" + r)), $"{set.Vector}.Create(xs[{at}])", $"inner{r}_{t}")};");
                tile.Code.Line($"acc{r}_{t} = {set.MultiplyAdd("m" + r, $"{set.Vector}.Create(xm[{at}])", $"acc{r}_{t}")};");
            }
        }
    });
}
