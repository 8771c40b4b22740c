namespace TileGenerator;

/// <summary>
/// Per 256 columns: 16 d (float32), then four chunks of 64 columns: int8 scales [4][16], and for each sub-block of 16 columns three times 64 bytes:
/// low nibbles of columns 0-3 and 4-7, of 8-11 and 12-15, and the upper bit pairs of all four groups. Weight = d * scale * (q - 32).
/// </summary>
internal sealed class Q6_KTile : ByteTile
{
    private const int HeadBytes = 64, ScaleBytes = 64, SubBlockBytes = 192, ChunkBytes = ScaleBytes + 4 * SubBlockBytes;

    public override string Type => "Q6_K";

    public override void Begin(TileBody tile)
    {
        DeclareActivations(tile, "Corrections32");
        foreach (string constant in tile.Set.Constants.Skip(1)) tile.Code.Line(constant);
    }

    public override void Sum(TileBody tile)
    {
        InstructionSet set = tile.Set;
        CodeWriter code = tile.Code;
        code.Line($"byte* d = {tile.AtPass("panel", 0, 4)};");
        code.Line($"byte* scale = {tile.AtPass("panel", HeadBytes, 1)};");
        code.Line($"byte* w = {tile.AtPass("panel", HeadBytes + ScaleBytes, 4)};");
        BeginActivations(tile, corrections: true);
        code.Block("for (int block = columns / 256; block > 0; block--)", () =>
        {
            tile.Each((r, t) => $"{set.Vector}<float> inner{r}_{t} = {set.Vector}<float>.Zero;");
            code.Block("for (int chunk = 0; chunk < 4; chunk++)", () =>
            {
                tile.Prefetch("scale", 0);
                Pair(tile, 0);
                Pair(tile, 1);
                code.Line($"w += {ChunkBytes};");
                code.Line($"scale += {ChunkBytes};");
                code.Line($"q += {2 * BlockDwords * tile.Width};");
                code.Line($"xs += {2 * tile.Width};");
                code.Line($"c += {4 * tile.Width};");
            });
            tile.EachRow(r => $"{set.Vector}<float> d{r} = {set.Vector}.Load((float*)({TileBody.Plus("d", r * set.Lanes * 4)}));");
            tile.Each((r, t) => $"acc{r}_{t} = {set.MultiplyAdd($"inner{r}_{t}", "d" + r, $"acc{r}_{t}")};");
            code.Line($"d += {HeadBytes + 4 * ChunkBytes};");
            code.Line($"scale += {HeadBytes};");
            code.Line($"w += {HeadBytes};");
        });
    }

    /// <summary>Two sub-blocks: one block of activations. (Two products of 32,512 * 128 * 2 stay below 2^24: exact in float32.)</summary>
    private static void Pair(TileBody tile, int pair) => tile.Code.Block("", () =>
    {
        InstructionSet set = tile.Set;
        tile.Each((r, t) => $"{set.Vector}<int> i{r}_{t};");
        SubBlock(tile, pair, 0);
        SubBlock(tile, pair, 1);
        tile.Each((r, t) => $"inner{r}_{t} = {set.MultiplyAdd(set.ToSingle($"i{r}_{t}"), $"{set.Vector}.Create(xs[{pair * tile.Width + t}])", $"inner{r}_{t}")};");
    });

    private static void SubBlock(TileBody tile, int pair, int half) => tile.Code.Block("", () =>
    {
        InstructionSet set = tile.Set;
        int number = 2 * pair + half, start = number * SubBlockBytes;
        string mask = $"{set.Vector}.Create((byte)0x30)";
        string Shifted(int r, string shift) => $"{set.Vector}.{shift}.AsByte() & {mask}".Replace("$", $"h{r}.AsUInt16()");
        tile.Each((r, t) => $"var s{r}_{t} = {set.Start($"c[{number * tile.Width + t}]", 1)};");
        LoadBytes(tile, "v", TileBody.Plus("w", start));
        LoadBytes(tile, "u", TileBody.Plus("w", start + 64));
        LoadBytes(tile, "h", TileBody.Plus("w", start + 128));
        Unpack(tile, "w0_", r => $"({LowNibble(set, "v" + r)}) | ({Shifted(r, "ShiftLeft($, 4)")})");
        Unpack(tile, "w1_", r => $"({HighNibble(set, "v" + r)}) | ({Shifted(r, "ShiftLeft($, 2)")})");
        Unpack(tile, "w2_", r => $"({LowNibble(set, "u" + r)}) | (h{r} & {mask})");
        Unpack(tile, "w3_", r => $"({HighNibble(set, "u" + r)}) | ({Shifted(r, "ShiftRightLogical($, 2)")})");
        Dot(tile, "q", ("s", [.. Enumerable.Range(0, 4).Select(g => new Product($"w{g}_", pair * BlockDwords * tile.Width + half * 4 + g))]));
        tile.EachRow(r => $"var z{r} = {set.Scales(TileBody.Plus("scale", number * 16 + r * set.Lanes), signed: true)};");
        tile.Each((r, t) => $"i{r}_{t} = {(half == 0 ? "" : $"i{r}_{t} + ")}{set.Scaled($"s{r}_{t}", "z" + r)};");
    });
}
