namespace TileGenerator;

/// <summary>
/// One instruction set as C# expressions. Lanes of 32 bits stand for rows. The integer core multiplies bytes of weights by int8 activations,
/// four columns at a time: a lane of weights holds four columns of its row, and the same four activations are broadcast to every lane.
/// </summary>
internal abstract class InstructionSet
{
    /// <summary>The SimdLevel, and the prefix of the class that holds its tiles.</summary>
    public abstract string Name { get; }

    /// <summary>Vector512, Vector256 or Vector128.</summary>
    public abstract string Vector { get; }

    /// <summary>32-bit lanes of a vector.</summary>
    public abstract int Lanes { get; }

    /// <summary>Tile widths in tokens; the first is 1, each divides the next.</summary>
    public abstract int[] Tokens { get; }

    /// <summary>Tokens that a tile keeps sums of at once; a wider tile takes its tokens in turns.</summary>
    public virtual int TokensAtOnce(Tile tile) => Tokens[^1];

    /// <summary>Whether the set has tiles of a type.</summary>
    public virtual bool Has(Tile tile) => true;

    /// <summary>Row vectors that a tile of so many tokens keeps at once, for panels of 16 rows (quantised) and of 64 (float).</summary>
    public abstract int RowVectors(int tokens, int panelRows);

    /// <summary>Namespaces of the intrinsics.</summary>
    public virtual string[] Usings => ["System.Runtime.Intrinsics", "System.Runtime.Intrinsics.X86"];

    /// <summary>Whether there is a prefetch call.</summary>
    public virtual bool HasPrefetch => true;

    /// <summary>Whether tiles of one token exist with a prefetch too.</summary>
    public virtual bool HasAhead => false;

    /// <summary>Whether weight bytes are taken as signed; else unsigned, and a start value corrects the zero point.</summary>
    public virtual bool SignedWeights => false;

    /// <summary>Whether byte products have to stay below 2^15 in pairs (vpmaddubsw saturates, and sums are kept in int16).</summary>
    public abstract bool PairSums { get; }

    /// <summary>Declarations of the vector constants that the expressions use.</summary>
    public virtual string[] Constants => [];

    /// <summary>A fresh block sum.</summary>
    public abstract string Zero { get; }

    /// <summary>A block sum that starts at <paramref name="factor"/> times the correction: a dword of two int16, the sums of even and odd pairs of activations times -8 or -32.</summary>
    public abstract string Start(string correction, int factor);

    /// <summary>Groups of four columns that a step of the inner loop takes.</summary>
    public virtual int GroupsPerStep => 1;

    /// <summary>sum + weights . activations of each product, four columns in each lane.</summary>
    public virtual string Dot(string sum, (string Weights, string Activations)[] products) => products.Aggregate(sum, (s, p) => Dot(s, p.Weights, p.Activations));

    /// <summary>sum + weights . activations, four columns in each lane.</summary>
    protected abstract string Dot(string sum, string weights, string activations);

    /// <summary>The block sum in int32, times <paramref name="factor"/> (1 or 16).</summary>
    public abstract string Total(string sum, int factor = 1);

    /// <summary>The block sum in int32, times the integer scale of each row.</summary>
    public abstract string Scaled(string sum, string scales);

    /// <summary>Integer scales for <see cref="Scaled"/> out of a byte for each row.</summary>
    public abstract string Scales(string pointer, bool signed);

    /// <summary>Bytes to int32 lanes.</summary>
    public abstract string WidenBytes(string pointer);

    /// <summary>Int16 to int32 lanes with sign.</summary>
    public abstract string WidenShorts(string pointer);

    /// <summary>The low halves of int32 lanes, sign-extended and shifted left by 13: where a float32 has exponent and mantissa.</summary>
    public virtual string LowHalfTimes8192(string dwords) => $"{Vector}.ShiftRightArithmetic({Vector}.ShiftLeft({dwords}, 16), 3)";

    /// <summary>a * b + c, rounded once.</summary>
    public virtual string MultiplyAdd(string a, string b, string c) => $"{Vector}.FusedMultiplyAdd({a}, {b}, {c})";

    /// <summary>Four activations, broadcast.</summary>
    public virtual string Activations(string dword) => $"{Vector}.Create({dword}).AsSByte()";

    /// <summary>The scales of 16-row panels: float16 of scale * 1024, so that none is subnormal (a slow operand on many processors).</summary>
    public string HalfScales(string pointer, bool negative = false) =>
        $"({Vector}.ShiftLeft({WidenShorts(pointer)}, 13) & {Vector}.Create(HalfBits)).AsSingle() * {Vector}.Create({(negative ? "-" : "")}HalfScale)";

    /// <summary>Bytes of a table of 16 (the same in each 128 bits), for indices below 16.</summary>
    public abstract string Lookup(string table, string indices);

    public string ToSingle(string ints) => $"{Vector}.ConvertToSingle({ints})";
}
