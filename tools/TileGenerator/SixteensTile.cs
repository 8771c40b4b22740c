namespace TileGenerator;

/// <summary>
/// K types with sub-blocks of 16 columns: Q2_K, Q3_K, Q6_K. Per 256 columns: a head of 64 bytes with d (and dmin), then four chunks of 64 columns: 64 bytes of
/// scales [4][16], and the quants of two pairs of sub-blocks; a pair has one block of activations.
/// </summary>
internal abstract class SixteensTile : ByteTile
{
    private const int HeadBytes = 64, ScaleBytes = 64;

    /// <summary>Bytes of the quants of two sub-blocks.</summary>
    protected abstract int PairBytes { get; }

    /// <summary>Whether weight = d * scale * q - dmin * min: then d and dmin are float16 * 1024, scale and min nibbles. Else q has a zero point.</summary>
    protected virtual bool HasMin => false;

    private int ChunkBytes => ScaleBytes + 2 * PairBytes;

    /// <summary>Declares <c>w0_{vector}</c> to <c>w3_{vector}</c>: the weight bytes of one sub-block's groups of four columns, of the pair that lies <paramref name="at"/> bytes from w.</summary>
    protected abstract void Weights(TileBody tile, int at, int half);

    public override void Begin(TileBody tile)
    {
        DeclareActivations(tile, HasMin ? null : "Corrections32");
        if (HasMin) tile.Code.Line("float* sums = x->NegativeHalfSums;");
        foreach (string constant in HasMin ? tile.Set.Constants.Take(1) : tile.Set.Constants.Skip(1)) tile.Code.Line(constant);
    }

    public override void Sum(TileBody tile)
    {
        InstructionSet set = tile.Set;
        CodeWriter code = tile.Code;
        code.Line($"byte* d = {tile.AtPass("panel", 0, HasMin ? 2 : 4)};");
        code.Line($"byte* scale = {tile.AtPass("panel", HeadBytes, 1)};");
        code.Line($"byte* w = {tile.AtPass("panel", HeadBytes + ScaleBytes, 4)};");
        BeginActivations(tile, corrections: !HasMin);
        if (HasMin) code.Line($"float* xm = {tile.AtToken("sums", 1)};");
        code.Block("for (int block = columns / 256; block > 0; block--)", () =>
        {
            if (HasMin) tile.EachRow(r => $"{set.Vector}<float> min{r} = {set.HalfScales(TileBody.Plus("d", 32 + r * set.Lanes * 2))};");
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
                code.Line($"{(HasMin ? "xm" : "c")} += {4 * tile.Width};");
            });
            tile.EachRow(r => $"{set.Vector}<float> d{r} = {(HasMin ? set.HalfScales(TileBody.Plus("d", r * set.Lanes * 2)) : $"{set.Vector}.Load((float*)({TileBody.Plus("d", r * set.Lanes * 4)}))")};");
            tile.Each((r, t) => $"acc{r}_{t} = {set.MultiplyAdd($"inner{r}_{t}", "d" + r, $"acc{r}_{t}")};");
            code.Line($"d += {HeadBytes + 4 * ChunkBytes};");
            code.Line($"scale += {HeadBytes};");
            code.Line($"w += {HeadBytes};");
        });
    }

    /// <summary>Two sub-blocks: one block of activations. (At most, two sums of 32,512 * 128 * 2 stay below 2^24: exact in float32.)</summary>
    private void Pair(TileBody tile, int pair) => tile.Code.Block("", () =>
    {
        InstructionSet set = tile.Set;
        tile.Each((r, t) => $"{set.Vector}<int> i{r}_{t};");
        SubBlock(tile, pair, 0);
        SubBlock(tile, pair, 1);
        tile.Each((r, t) => $"inner{r}_{t} = {set.MultiplyAdd(set.ToSingle($"i{r}_{t}"), $"{set.Vector}.Create(xs[{pair * tile.Width + t}])", $"inner{r}_{t}")};");
    });

    private void SubBlock(TileBody tile, int pair, int half) => tile.Code.Block("", () =>
    {
        InstructionSet set = tile.Set;
        int number = 2 * pair + half;
        tile.Each((r, t) => $"var s{r}_{t} = {(HasMin ? set.Zero : set.Start($"c[{number * tile.Width + t}]", 1))};");
        Weights(tile, pair * PairBytes, half);
        Dot(tile, "q", ("s", [.. Enumerable.Range(0, 4).Select(g => new Product($"w{g}_", pair * BlockDwords * tile.Width + half * 4 + g))]));
        string Scale(int r) => TileBody.Plus("scale", number * 16 + r * set.Lanes);
        if (HasMin)
        {
            tile.EachRow(r => $"var z{r} = {set.Scales(Scale(r), signed: false)} & {set.Vector}.Create({(set.PairSums ? "(short)15" : "15")});");
            tile.EachRow(r => $"{set.Vector}<float> m{r} = {set.ToSingle($"{set.Vector}.ShiftRightLogical({set.WidenBytes(Scale(r))}, 4)")} * min{r};");
            tile.Each((r, t) => $"acc{r}_{t} = {set.MultiplyAdd("m" + r, $"{set.Vector}.Create(xm[{number * tile.Width + t}])", $"acc{r}_{t}")};");
        }
        else tile.EachRow(r => $"var z{r} = {set.Scales(Scale(r), signed: true)};");
        tile.Each((r, t) => $"i{r}_{t} = {(half == 0 ? "" : $"i{r}_{t} + ")}{set.Scaled($"s{r}_{t}", "z" + r)};");
    });

    /// <summary>Word lanes of row vector <paramref name="r"/> of a name, shifted left (right where negative), under a byte mask: bits stay inside their bytes.</summary>
    protected static string Shifted(InstructionSet set, string name, int r, int left, int mask)
    {
        string moved = left == 0 ? name + r : $"{set.Vector}.{(left > 0 ? "ShiftLeft" : "ShiftRightLogical")}({name}{r}.AsUInt16(), {Math.Abs(left)}).AsByte()";
        return $"{moved} & {set.Vector}.Create((byte)0x{mask:x2})";
    }
}

/// <summary>
/// A sub-block has three times 64 bytes: low nibbles of columns 0-3 and 4-7, of 8-11 and 12-15, and the upper bit pairs of all four groups.
/// Weight = d * scale * (q - 32).
/// </summary>
internal sealed class Q6_KTile : SixteensTile
{
    public override string Type => "Q6_K";
    protected override int PairBytes => 384;

    protected override void Weights(TileBody tile, int at, int half)
    {
        InstructionSet set = tile.Set;
        at += half * 192;
        LoadBytes(tile, "v", TileBody.Plus("w", at));
        LoadBytes(tile, "u", TileBody.Plus("w", at + 64));
        LoadBytes(tile, "h", TileBody.Plus("w", at + 128));
        Unpack(tile, "w0_", r => $"({LowNibble(set, "v" + r)}) | ({Shifted(set, "h", r, 4, 0x30)})");
        Unpack(tile, "w1_", r => $"({HighNibble(set, "v" + r)}) | ({Shifted(set, "h", r, 2, 0x30)})");
        Unpack(tile, "w2_", r => $"({LowNibble(set, "u" + r)}) | ({Shifted(set, "h", r, 0, 0x30)})");
        Unpack(tile, "w3_", r => $"({HighNibble(set, "u" + r)}) | ({Shifted(set, "h", r, -2, 0x30)})");
    }
}

/// <summary>
/// A pair of sub-blocks has three times 64 bytes A, B, C for its groups 0 to 7 of four columns: A = q1 | q0 &lt;&lt; 3 | low bits of q3 &lt;&lt; 6,
/// B = q4 | q2 &lt;&lt; 3 | low bits of q7 &lt;&lt; 6, C = q6 | q5 &lt;&lt; 3 | high bits of q3 and q7 &lt;&lt; 6. The tile multiplies 8 q: of half
/// the groups that is a mask alone. Weight = d * scale * (q - 4); the head has d / 8.
/// </summary>
internal sealed class Q3_KTile : SixteensTile
{
    public override string Type => "Q3_K";
    protected override int PairBytes => 192;

    protected override void Weights(TileBody tile, int at, int half)
    {
        InstructionSet set = tile.Set;
        const int mask = 0x38;
        if (half == 0) LoadBytes(tile, "a", TileBody.Plus("w", at));
        LoadBytes(tile, "b", TileBody.Plus("w", at + 64), prefetch: half == 0);
        LoadBytes(tile, "e", TileBody.Plus("w", at + 128), prefetch: half == 0);
        string Split(string low, int r, int right) => $"({Shifted(set, low, r, -3, 0x18)}) | ({Shifted(set, "e", r, -right, 0x20)})";
        if (half == 0)
        {
            Unpack(tile, "w0_", r => Shifted(set, "a", r, 0, mask));
            Unpack(tile, "w1_", r => Shifted(set, "a", r, 3, mask));
            Unpack(tile, "w2_", r => Shifted(set, "b", r, 0, mask));
            Unpack(tile, "w3_", r => Split("a", r, 1));
        }
        else
        {
            Unpack(tile, "w0_", r => Shifted(set, "b", r, 3, mask));
            Unpack(tile, "w1_", r => Shifted(set, "e", r, 0, mask));
            Unpack(tile, "w2_", r => Shifted(set, "e", r, 3, mask));
            Unpack(tile, "w3_", r => Split("b", r, 2));
        }
    }
}

/// <summary>A sub-block has 64 bytes: bits 2 g and 2 g + 1 for group g of four columns. Weight = d * scale * q - dmin * min.</summary>
internal sealed class Q2_KTile : SixteensTile
{
    public override string Type => "Q2_K";
    protected override int PairBytes => 128;
    protected override bool HasMin => true;

    protected override void Weights(TileBody tile, int at, int half)
    {
        LoadBytes(tile, "v", TileBody.Plus("w", at + half * 64));
        for (int g = 0; g < 4; g++)
        {
            int right = 2 * g;
            Unpack(tile, $"w{g}_", r => Shifted(tile.Set, "v", r, -right, 3));
        }
    }
}
