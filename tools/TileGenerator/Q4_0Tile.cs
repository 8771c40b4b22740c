namespace TileGenerator;

/// <summary>Per 32 columns: 16 scales, then four groups of 64 bytes: columns k and k + 16 in the low and high nibbles of a row's dword.</summary>
internal sealed class Q4_0Tile : ByteTile
{
    private const int BlockBytes = 288, ScaleBytes = 32;

    public override string Type => "Q4_0";

    public override void Begin(TileBody tile) => DeclareActivations(tile, "Corrections8");

    public override void Sum(TileBody tile)
    {
        InstructionSet set = tile.Set;
        CodeWriter code = tile.Code;
        code.Line($"byte* w = {tile.AtPass("panel", ScaleBytes, 4)};");
        code.Line($"byte* d = {tile.AtPass("panel", 0, 2)};");
        BeginActivations(tile, corrections: true);
        code.Block("for (int block = columns / 32; block > 0; block--)", () =>
        {
            tile.Each((r, t) => $"var s{r}_{t} = {set.Start($"c[{t}]", 1)};");
            Groups(tile, 4, (groups, quants) =>
            {
                foreach (Group g in groups) LoadNibbles(tile, g);
                Dot(tile, quants, ("s", [.. groups.Select(g => new Product($"low{g.Number}_", g.Dword)), .. groups.Select(g => new Product($"high{g.Number}_", g.Dword + 4))]));
            });
            tile.EachRow(r => $"{set.Vector}<float> d{r} = {set.HalfScales(TileBody.Plus("d", r * set.Lanes * 2))};");
            tile.Each((r, t) => $"acc{r}_{t} = {set.MultiplyAdd(set.ToSingle(set.Total($"s{r}_{t}")), $"d{r} * {set.Vector}.Create(xs[{t}])", $"acc{r}_{t}")};");
            code.Line($"w += {BlockBytes};");
            code.Line($"d += {BlockBytes};");
            code.Line($"q += {BlockDwords * tile.Width};");
            code.Line($"xs += {tile.Width};");
            code.Line($"c += {tile.Width};");
        });
    }
}
