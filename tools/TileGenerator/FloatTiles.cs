namespace TileGenerator;

/// <summary>Float weights: panels of 64 rows, one column after another; float32 activations, [column][token].</summary>
internal abstract class FloatTile : Tile
{
    public override int PanelRows => 64;
    public override bool Continues => true;

    public override void Begin(TileBody tile) => tile.Code.Line($"float* activations = x->{Activations};");

    protected abstract int StepBytes { get; }

    protected virtual string Activations => "Values";

    public override void Sum(TileBody tile)
    {
        CodeWriter code = tile.Code;
        code.Line($"byte* w = {tile.AtPass("panel", 0, StepBytes / PanelRows)};");
        code.Line($"float* a = {tile.AtToken("activations", 1)};");
        code.Block("for (int k = columns; k > 0; k--)", () =>
        {
            Load(tile);
            for (int t = 0; t < tile.Tokens; t++)
            {
                code.Line($"{tile.Set.Vector}<float> a{t} = {tile.Set.Vector}.Create(a[{t}]);");
                tile.EachRow(r => $"acc{r}_{t} = {tile.Set.MultiplyAdd("w" + r, "a" + t, $"acc{r}_{t}")};");
            }
            code.Line($"w += {StepBytes};");
            code.Line($"a += {tile.Width};");
        });
    }

    /// <summary>Declares w0, w1 ... with the column's weights.</summary>
    protected abstract void Load(TileBody tile);
}

internal sealed class F32Tile : FloatTile
{
    public override string Type => "F32";
    protected override int StepBytes => 256;

    protected override void Load(TileBody tile)
    {
        for (int r = 0; r < tile.Rows; r++)
        {
            int offset = r * tile.Set.Lanes * 4;
            tile.Prefetch("w", offset);
            tile.Code.Line($"{tile.Set.Vector}<float> w{r} = {tile.Set.Vector}.Load((float*)({TileBody.Plus("w", offset)}));");
        }
    }
}

/// <summary>
/// 16-bit weights in dwords: dword i of each 32 rows has row i in its low and row i + 16 in its high half, so that a shift and a mask widen them.
/// </summary>
internal abstract class HalfTile : FloatTile
{
    protected override int StepBytes => 128;

    public override int FirstRow(TileBody tile, int vector)
    {
        int dword = vector / 2 * tile.Set.Lanes;
        return dword / 16 * 32 + dword % 16 + vector % 2 * 16;
    }

    public override string PassRow(TileBody tile)
    {
        int dwords = tile.PassRows / 2;
        return dwords >= 16 ? base.PassRow(tile) : $"part / {16 / dwords} * 32 + part % {16 / dwords} * {dwords}";
    }

    protected override void Load(TileBody tile)
    {
        string v = tile.Set.Vector;
        for (int pair = 0; pair < tile.Rows / 2; pair++)
        {
            tile.Prefetch("w", pair * tile.Set.Lanes * 4);
            tile.Code.Line($"{v}<int> pair{pair} = {v}.Load((int*)({TileBody.Plus("w", pair * tile.Set.Lanes * 4)}));");
            tile.Code.Line($"{v}<float> w{2 * pair} = {Low(tile.Set, "pair" + pair)};");
            tile.Code.Line($"{v}<float> w{2 * pair + 1} = {High(tile.Set, "pair" + pair)};");
        }
    }

    protected abstract string Low(InstructionSet set, string pair);
    protected abstract string High(InstructionSet set, string pair);
}

/// <summary>float16 stored times 1024 (no subnormals); the activations carry the factor 2^102 that undoes it and the exponent's bias.</summary>
internal sealed class F16Tile : HalfTile
{
    public override string Type => "F16";
    protected override string Activations => "ScaledValues";
    protected override string Low(InstructionSet set, string pair) => $"({set.LowHalfTimes8192(pair)} & {set.Vector}.Create(HalfBits)).AsSingle()";
    protected override string High(InstructionSet set, string pair) => $"({set.Vector}.ShiftRightArithmetic({pair}, 3) & {set.Vector}.Create(HalfBits)).AsSingle()";
}

internal sealed class BF16Tile : HalfTile
{
    public override string Type => "BF16";
    protected override string Low(InstructionSet set, string pair) => $"{set.Vector}.ShiftLeft({pair}, 16).AsSingle()";
    protected override string High(InstructionSet set, string pair) => $"({pair} & {set.Vector}.Create(unchecked((int)0xffff0000))).AsSingle()";
}
