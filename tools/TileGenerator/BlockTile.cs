namespace TileGenerator;

/// <summary>
/// Types of one scale for 32 columns. Per block: 16 scales, maybe 16 mins, maybe 64 bytes of high bits (bit 2 g of a row's dword for group g, bit 2 g + 1
/// for group g + 4), then four groups of 64 bytes: columns k and k + 16 in the low and high nibbles of a row's dword.
/// </summary>
internal abstract class BlockTile : ByteTile
{
    /// <summary>Bytes of a row's scale; two: float16 * 1024.</summary>
    protected virtual int ScaleBytes => 2;

    /// <summary>Whether weight = d * q + min.</summary>
    protected virtual bool HasMin => false;

    /// <summary>Whether q has a fifth bit.</summary>
    protected virtual bool HasHighBits => false;

    /// <summary>Field of TileInput with the start values of sums, or null when q has no zero point.</summary>
    protected virtual string? Corrections => null;

    /// <summary>What the corrections take off a q that has a min; it is given back there.</summary>
    protected virtual int ZeroPoint => 0;

    protected virtual NibbleCode Nibbles => NibbleCode.Plain;

    protected virtual string Scale(InstructionSet set, string pointer) => set.HalfScales(pointer);

    private string? CorrectionsOf(InstructionSet set) => Nibbles.Corrects(set) ? Corrections : null;

    public override void Begin(TileBody tile)
    {
        DeclareActivations(tile, CorrectionsOf(tile.Set));
        if (HasMin) tile.Code.Line("float* sums = x->NegativeSums;");
        Nibbles.Declare(tile);
    }

    public override void Sum(TileBody tile)
    {
        InstructionSet set = tile.Set;
        CodeWriter code = tile.Code;
        bool corrections = CorrectionsOf(set) is not null;
        int head = 16 * ScaleBytes + (HasMin ? 32 : 0) + (HasHighBits ? 64 : 0), blockBytes = head + 256;
        code.Line($"byte* w = {tile.AtPass("panel", head, 4)};");
        code.Line($"byte* d = {tile.AtPass("panel", 0, ScaleBytes)};");
        BeginActivations(tile, corrections);
        if (HasMin) code.Line($"float* xm = {tile.AtToken("sums", 1)};");
        code.Block("for (int block = columns / 32; block > 0; block--)", () =>
        {
            Nibbles.Start(tile, corrections);
            if (HasHighBits) LoadBytes(tile, "h", "w - 64");
            Groups(tile, 4, (groups, quants) => Products(tile, groups, quants));
            tile.EachRow(r => $"{set.Vector}<float> d{r} = {Scale(set, TileBody.Plus("d", r * set.Lanes * ScaleBytes))};");
            tile.Each((r, t) => $"acc{r}_{t} = {set.MultiplyAdd(set.ToSingle(Nibbles.Total(set, $"{r}_{t}")), $"d{r} * {set.Vector}.Create(xs[{t}])", $"acc{r}_{t}")};");
            if (HasMin)
            {
                tile.EachRow(r => $"{set.Vector}<float> m{r} = {Min(set, r)};");
                tile.Each((r, t) => $"acc{r}_{t} = {set.MultiplyAdd("m" + r, $"{set.Vector}.Create(xm[{t}])", $"acc{r}_{t}")};");
            }
            code.Line($"w += {blockBytes};");
            code.Line($"d += {blockBytes};");
            code.Line($"q += {BlockDwords * tile.Width};");
            code.Line($"xs += {tile.Width};");
            if (HasMin) code.Line($"xm += {tile.Width};");
            if (corrections) code.Line($"c += {tile.Width};");
        });
    }

    /// <summary>-(min + zero point * d): the sums that it meets are negative. (A power of two times d is exact: rounded once, fused or not.)</summary>
    private string Min(InstructionSet set, int r)
    {
        string pointer = TileBody.Plus("d", 32 + r * set.Lanes * 2);
        return ZeroPoint == 0 ? set.HalfScales(pointer, negative: true) : $"d{r} * {set.Vector}.Create(-{ZeroPoint}f) - {set.HalfScales(pointer)}";
    }

    private void Products(TileBody tile, Group[] groups, string quants)
    {
        InstructionSet set = tile.Set;
        foreach (Group g in groups) LoadNibbles(tile, g, HasHighBits ? (r, high) => HighBit(set, "h" + r, 2 * g.Dword + high) : null);
        if (HasHighBits && !tile.Unroll) tile.EachRow(r => $"h{r} = {set.Vector}.ShiftRightLogical(h{r}.AsUInt16(), {2 * groups.Length}).AsByte();");
        Dot(tile, quants, Nibbles, groups);
    }
}
