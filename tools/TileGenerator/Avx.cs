namespace TileGenerator;

/// <summary>vpmaddubsw into int16 sums, one vpmaddwd at the end of a block.</summary>
internal abstract class PairSumSet : InstructionSet
{
    protected abstract string Isa { get; }

    public override bool PairSums => true;
    public override string Zero => $"{Vector}<short>.Zero";
    public override string Start(string correction, int factor) => $"{Vector}.Create({correction}).AsInt16()";
    protected override string Dot(string sum, string weights, string activations) => $"{sum} + {Product(weights, activations)}";
    private string Product(string weights, string activations) => $"{Isa}.MultiplyAddAdjacent({weights}, {activations})";

    /// <summary>Products are added to each other before they meet the sum: 15 % faster on Zen 4 than one chain. (Integers: the same result.)</summary>
    public override string Dot(string sum, (string Weights, string Activations)[] products)
    {
        string[] terms = [.. products.Select(p => Product(p.Weights, p.Activations))];
        while (terms.Length > 1) terms = [.. terms.Chunk(2).Select(pair => pair.Length == 2 ? $"({pair[0]} + {pair[1]})" : pair[0])];
        return $"{sum} + {terms[0]}";
    }
    public override string Total(string sum, int factor = 1) => $"{Isa}.MultiplyAddAdjacent({sum}, {Vector}.Create((short){factor}))";
    public override string Scaled(string sum, string scales) => $"{Isa}.MultiplyAddAdjacent({sum}, {scales})";
    public override string LowHalfTimes8192(string dwords) => $"{Isa}.MultiplyAddAdjacent({dwords}.AsInt16(), {Vector}.Create(8192).AsInt16())";

    /// <summary>vpshufb patterns that put the byte of row i into both int16 of lane i, as their low bytes or as their high ones.</summary>
    public override string[] Constants => [Spread("spreadLow", 0x80008000), Spread("spreadHigh", 0x00800080)];

    private string Spread(string name, uint zeros)
    {
        uint index = zeros == 0x80008000 ? 0x00010001u : 0x01000100u;
        return $"{Vector}<byte> {name} = {Vector}.Create({string.Join(", ", Enumerable.Range(0, Lanes).Select(i => $"0x{zeros + (uint)i * index:x8}"))}).AsByte();";
    }

    public override string Scales(string pointer, bool signed)
    {
        string spread = $"{Isa}.Shuffle({BroadcastSixteen(pointer)}, {(signed ? "spreadHigh" : "spreadLow")}).AsInt16()";
        return signed ? $"{Vector}.ShiftRightArithmetic({spread}, 8)" : spread;
    }

    protected abstract string BroadcastSixteen(string pointer);
    public override string Lookup(string table, string indices) => $"{Isa}.Shuffle({table}, {indices})";
}

/// <summary>AVX-512 F, BW, DQ, VL: 32 registers of 16 lanes.</summary>
internal sealed class Avx512 : PairSumSet
{
    public override string Name => "Avx512";
    public override string Vector => "Vector512";
    public override int Lanes => 16;
    public override int[] Tokens => [1, 2, 4, 8];
    protected override string Isa => "Avx512BW";
    public override int GroupsPerStep => 2;
    public override bool HasAhead => true;

    // Float tiles: 64 rows by 4 tokens fill 16 registers with sums and load a third less than 32 rows by 8 tokens would.
    public override int TokensAtOnce(Tile tile) => tile is FloatTile ? 4 : 8;
    public override int RowVectors(int tokens, int panelRows) => panelRows == 16 ? 1 : 4;
    protected override string BroadcastSixteen(string pointer) => $"Avx512F.BroadcastVector128ToVector512((uint*)({pointer})).AsByte()";
    public override string WidenBytes(string pointer) => $"Avx512F.ConvertToVector512Int32(Vector128.Load({pointer}))";
    public override string WidenShorts(string pointer) => $"Avx512F.ConvertToVector512Int32(Vector256.Load((short*)({pointer})))";
}

/// <summary>AVX2 and FMA: 16 registers of 8 lanes.</summary>
internal sealed class Avx2 : PairSumSet
{
    public override string Name => "Avx2";
    public override string Vector => "Vector256";
    public override int Lanes => 8;
    public override int[] Tokens => [1, 2, 4];
    protected override string Isa => "Avx2";

    public override int RowVectors(int tokens, int panelRows) => panelRows == 16 ? tokens == 1 ? 2 : 1 : 8 / tokens;
    protected override string BroadcastSixteen(string pointer) => $"Avx2.BroadcastVector128ToVector256({pointer})";
    public override string WidenBytes(string pointer) => $"Avx2.ConvertToVector256Int32({pointer})";
    public override string WidenShorts(string pointer) => $"Avx2.ConvertToVector256Int32((short*)({pointer}))";
}

/// <summary>AVX2 with vpdpbusd of AVX-VNNI: unsigned bytes times signed ones, straight into int32.</summary>
internal class Avx2Vnni : InstructionSet
{
    public override string Name => "Avx2Vnni";
    public override bool Has(Tile tile) => tile is ByteTile;
    public override string Vector => "Vector256";
    public override int Lanes => 8;
    public override int[] Tokens => [1, 2, 4];
    public override bool PairSums => false;

    public override int RowVectors(int tokens, int panelRows) => panelRows == 16 ? tokens == 1 ? 2 : 1 : 8 / tokens;
    public override string Zero => "Vector256<int>.Zero";
    public override string Start(string correction, int factor) => $"Avx2.MultiplyAddAdjacent(Vector256.Create({correction}).AsInt16(), Vector256.Create((short){factor}))";
    protected override string Dot(string sum, string weights, string activations) => $"AvxVnni.MultiplyWideningAndAdd({sum}, {weights}, {activations})";
    public override string Total(string sum, int factor = 1) => sum;
    public override string Lookup(string table, string indices) => $"Avx2.Shuffle({table}, {indices})";
    public override string Scaled(string sum, string scales) => $"{sum} * {scales}";
    public override string Scales(string pointer, bool signed) => $"Avx2.ConvertToVector256Int32({(signed ? "(sbyte*)" : "")}({pointer}))";
    public override string WidenBytes(string pointer) => $"Avx2.ConvertToVector256Int32({pointer})";
    public override string WidenShorts(string pointer) => $"Avx2.ConvertToVector256Int32((short*)({pointer}))";
}

/// <summary>
/// AVX-512 where AVX-VNNI is there too. Weights of eight bits gain: they have to be split for vpmaddubsw, and vpdpbusd takes them whole.
/// The sums fill the lower 16 registers, so a wide tile takes four tokens at a time, and the rows of a panel together.
/// </summary>
internal sealed class Avx512Vnni : Avx2Vnni
{
    public override string Name => "Avx512Vnni";
    public override int[] Tokens => [1, 2, 4, 8];
    public override int TokensAtOnce(Tile tile) => 4;
    public override bool Has(Tile tile) => tile is Q8_0Tile or IQ4_NLTile or IQ4_XSTile or DecodedTile;
    public override bool HasAhead => true;
    public override int RowVectors(int tokens, int panelRows) => 2;
}
