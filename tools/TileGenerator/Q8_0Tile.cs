namespace TileGenerator;

/// <summary>
/// Per 32 columns: 16 scales, then eight groups of 64 bytes, each byte stored with its sign bit turned over (weight + 128).
/// Where pairs of byte products saturate, the byte is split into nibbles: weight = 16 * (high - 8) + low.
/// </summary>
internal sealed class Q8_0Tile : ByteTile
{
    private const int BlockBytes = 544, ScaleBytes = 32;

    public override string Type => "Q8_0";

    public override void Begin(TileBody tile) => DeclareActivations(tile, tile.Set.SignedWeights ? null : "Corrections8");

    public override void Sum(TileBody tile)
    {
        InstructionSet set = tile.Set;
        CodeWriter code = tile.Code;
        code.Line($"byte* w = {tile.AtPass("panel", ScaleBytes, 4)};");
        code.Line($"byte* d = {tile.AtPass("panel", 0, 2)};");
        BeginActivations(tile, corrections: !set.SignedWeights);
        code.Block("for (int block = columns / 32; block > 0; block--)", () =>
        {
            if (set.PairSums)
            {
                tile.Each((r, t) => $"var s{r}_{t} = {set.Zero};");
                tile.Each((r, t) => $"var u{r}_{t} = {set.Start($"c[{t}]", 1)};");
            }
            else tile.Each((r, t) => $"var s{r}_{t} = {(set.SignedWeights ? set.Zero : set.Start($"c[{t}]", 16))};");
            Groups(tile, 8, (groups, quants) =>
            {
                if (set.PairSums)
                {
                    foreach (Group g in groups) LoadNibbles(tile, g);
                    Dot(tile, quants,
                        ("s", [.. groups.Select(g => new Product($"low{g.Number}_", g.Dword))]),
                        ("u", [.. groups.Select(g => new Product($"high{g.Number}_", g.Dword))]));
                }
                else
                {
                    foreach (Group g in groups) LoadBytes(tile, $"b{g.Number}_", g.Weights, set.SignedWeights ? $" ^ {set.Vector}.Create((byte)0x80)" : "");
                    Dot(tile, quants, ("s", [.. groups.Select(g => new Product($"b{g.Number}_", g.Dword))]));
                }
            });
            tile.EachRow(r => $"{set.Vector}<float> d{r} = {set.HalfScales(TileBody.Plus("d", r * set.Lanes * 2))};");
            tile.Each((r, t) => $"acc{r}_{t} = {set.MultiplyAdd(set.ToSingle(Total(set, r, t)), $"d{r} * {set.Vector}.Create(xs[{t}])", $"acc{r}_{t}")};");
            code.Line($"w += {BlockBytes};");
            code.Line($"d += {BlockBytes};");
            code.Line($"q += {BlockDwords * tile.Width};");
            code.Line($"xs += {tile.Width};");
            if (!set.SignedWeights) code.Line($"c += {tile.Width};");
        });
    }

    private static string Total(InstructionSet set, int r, int t) =>
        set.PairSums ? $"{set.Total($"s{r}_{t}")} + {set.Total($"u{r}_{t}", 16)}" : set.Total($"s{r}_{t}");
}
