namespace TileGenerator;

/// <summary>
/// Panels that were decoded to bytes for a moment, of types without a packed form. Per 32 columns: float32 scales of both halves [2][16], then eight groups of
/// 64 bytes, weight + 128. Where pairs of byte products saturate, the byte is split into nibbles: weight = 16 * (high - 8) + low.
/// </summary>
internal sealed class DecodedTile : ByteTile
{
    private const int BlockBytes = 640, ScaleBytes = 128;

    public override string Type => "Decoded";
    public override bool FromMemory => false;

    public override void Begin(TileBody tile) => DeclareActivations(tile, tile.Set.SignedWeights ? null : "Corrections32");

    public override void Sum(TileBody tile)
    {
        InstructionSet set = tile.Set;
        CodeWriter code = tile.Code;
        code.Line($"byte* w = {tile.AtPass("panel", ScaleBytes, 4)};");
        code.Line($"byte* d = {tile.AtPass("panel", 0, 4)};");
        BeginActivations(tile, corrections: !set.SignedWeights);
        code.Block("for (int block = columns / 32; block > 0; block--)", () =>
        {
            Half(tile, 0);
            Half(tile, 1);
            code.Line($"w += {BlockBytes};");
            code.Line($"d += {BlockBytes};");
            code.Line($"q += {BlockDwords * tile.Width};");
            code.Line($"xs += {tile.Width};");
            if (!set.SignedWeights) code.Line($"c += {2 * tile.Width};");
        });
    }

    private static void Half(TileBody tile, int half) => tile.Code.Block("", () =>
    {
        InstructionSet set = tile.Set;
        string Correction(int t) => $"c[{half * tile.Width + t}]";
        if (set.PairSums)
        {
            tile.Each((r, t) => $"var s{r}_{t} = {set.Zero};");
            tile.Each((r, t) => $"var u{r}_{t} = {set.Vector}.ShiftRightArithmetic({set.Start(Correction(t), 1)}, 2);");
        }
        else tile.Each((r, t) => $"var s{r}_{t} = {(set.SignedWeights ? set.Zero : set.Start(Correction(t), 4))};");
        for (int g = 0; g < 4; g++)
        {
            var group = new Group(g, TileBody.Plus("w", (4 * half + g) * 64), 4 * half + g);
            if (set.PairSums)
            {
                LoadNibbles(tile, group);
                Dot(tile, "q", ("s", [new Product($"low{g}_", group.Dword)]), ("u", [new Product($"high{g}_", group.Dword)]));
            }
            else
            {
                LoadBytes(tile, $"b{g}_", group.Weights, set.SignedWeights ? $" ^ {set.Vector}.Create((byte)0x80)" : "");
                Dot(tile, "q", ("s", [new Product($"b{g}_", group.Dword)]));
            }
        }
        tile.EachRow(r => $"{set.Vector}<float> d{r} = {set.Vector}.Load((float*)({TileBody.Plus("d", half * 64 + r * set.Lanes * 4)}));");
        string Total(int r, int t) => set.PairSums ? $"{set.Total($"s{r}_{t}")} + {set.Total($"u{r}_{t}", 16)}" : set.Total($"s{r}_{t}");
        tile.Each((r, t) => $"acc{r}_{t} = {set.MultiplyAdd(set.ToSingle(Total(r, t)), $"d{r} * {set.Vector}.Create(xs[{t}])", $"acc{r}_{t}")};");
    });
}
