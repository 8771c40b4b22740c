namespace TileGenerator;

/// <summary>
/// Per 256 columns: 16 d (float32), then two chunks of four sub-blocks of 32 columns: int8 scales [4][16], and for each sub-block four groups of 64
/// bytes, columns k and k + 16 in the low and high nibbles. Weight = d * scale * value of the nibble.
/// </summary>
internal sealed class IQ4_XSTile : ByteTile
{
    private const int HeadBytes = 64, ScaleBytes = 64, SubBlockBytes = 256, ChunkBytes = ScaleBytes + 4 * SubBlockBytes;

    public override string Type => "IQ4_XS";

    public override void Begin(TileBody tile)
    {
        DeclareActivations(tile, NibbleCode.IQ4.Corrects(tile.Set) ? "Corrections8" : null);
        foreach (string constant in tile.Set.Constants.Skip(1)) tile.Code.Line(constant);
        NibbleCode.IQ4.Declare(tile);
    }

    public override void Sum(TileBody tile)
    {
        InstructionSet set = tile.Set;
        CodeWriter code = tile.Code;
        bool corrections = NibbleCode.IQ4.Corrects(set);
        code.Line($"byte* d = {tile.AtPass("panel", 0, 4)};");
        code.Line($"byte* scale = {tile.AtPass("panel", HeadBytes, 1)};");
        code.Line($"byte* w = {tile.AtPass("panel", HeadBytes + ScaleBytes, 4)};");
        BeginActivations(tile, corrections);
        code.Block("for (int block = columns / 256; block > 0; block--)", () =>
        {
            tile.Each((r, t) => $"{set.Vector}<float> inner{r}_{t} = {set.Vector}<float>.Zero;");
            code.Block("for (int chunk = 0; chunk < 2; chunk++)", () =>
            {
                tile.Prefetch("scale", 0);
                code.Block("for (int sub = 0; sub < 4; sub++)", () =>
                {
                    SubBlock(tile, corrections);
                    code.Line($"w += {SubBlockBytes};");
                    code.Line("scale += 16;");
                    code.Line($"q += {BlockDwords * tile.Width};");
                    code.Line($"xs += {tile.Width};");
                    if (corrections) code.Line($"c += {tile.Width};");
                });
                code.Line($"w += {ScaleBytes};");
                code.Line($"scale += {4 * SubBlockBytes};");
            });
            tile.EachRow(r => $"{set.Vector}<float> d{r} = {set.Vector}.Load((float*)({TileBody.Plus("d", r * set.Lanes * 4)}));");
            tile.Each((r, t) => $"acc{r}_{t} = {set.MultiplyAdd($"inner{r}_{t}", "d" + r, $"acc{r}_{t}")};");
            code.Line($"d += {HeadBytes + 2 * ChunkBytes};");
            code.Line($"scale += {HeadBytes};");
            code.Line($"w += {HeadBytes};");
        });
    }

    /// <summary>One block of activations. (127 * 127 * 32 products times a scale of 32 stay below 2^24: exact in float32.)</summary>
    private static void SubBlock(TileBody tile, bool corrections)
    {
        InstructionSet set = tile.Set;
        NibbleCode nibbles = NibbleCode.IQ4;
        nibbles.Start(tile, corrections);
        Groups(tile, 4, (groups, quants) =>
        {
            foreach (Group g in groups) LoadNibbles(tile, g);
            Dot(tile, quants, nibbles, groups);
        });
        tile.EachRow(r => $"var z{r} = {set.Scales(TileBody.Plus("scale", r * set.Lanes), signed: true)};");
        if (set.PairSums) tile.EachRow(r => $"var z{r}Times16 = {set.Vector}.ShiftLeft(z{r}, 4);");
        tile.Each((r, t) => $"inner{r}_{t} = {set.MultiplyAdd(set.ToSingle(nibbles.Scaled(set, $"{r}_{t}", "z" + r)), $"{set.Vector}.Create(xs[{t}])", $"inner{r}_{t}")};");
    }
}
