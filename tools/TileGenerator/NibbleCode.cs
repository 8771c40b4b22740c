namespace TileGenerator;

/// <summary>
/// What the four (or, with high bits, five) bits of a weight stand for. A code yields one weight byte, or two that are summed apart where a
/// weight of eight bits would saturate vpmaddubsw: weight = 16 * second + first, in sums <c>s</c> and <c>u</c>.
/// </summary>
internal abstract class NibbleCode
{
    /// <summary>Bits are the weight.</summary>
    public static NibbleCode Plain { get; } = new PlainCode();
    public static NibbleCode MXFP4 { get; } = new MXFP4Code();
    public static NibbleCode IQ4 { get; } = new IQ4Code();

    /// <summary>Declares the tables.</summary>
    public virtual void Declare(TileBody tile) { }

    /// <summary>Whether a block sum starts at the correction of the activations.</summary>
    public virtual bool Corrects(InstructionSet set) => true;

    /// <summary>The sums, for a correction of the activations (null: the type has none, or start values are not asked for).</summary>
    public abstract NibbleSum[] Sums(InstructionSet set, string? correction);

    /// <summary>Declares the sums of all tokens.</summary>
    public void Start(TileBody tile, bool corrections)
    {
        for (int t = 0; t < tile.Tokens; t++)
        {
            int token = t;
            foreach (NibbleSum sum in Sums(tile.Set, corrections ? $"c[{t}]" : null)) tile.EachRow(r => $"var {sum.Name}{r}_{token} = {sum.Start};");
        }
    }

    /// <summary>The block sum in int32.</summary>
    public virtual string Total(InstructionSet set, string index) => set.Total("s" + index);

    /// <summary>The block sum in int32, times the integer scale of each row.</summary>
    public virtual string Scaled(InstructionSet set, string index, string scales) => set.Scaled("s" + index, scales);

    /// <summary>Declares a table of 16 bytes, for each 128 bits of a vector.</summary>
    private static void Table(TileBody tile, string name, Func<int, int> entry)
    {
        uint[] dwords = [.. Enumerable.Range(0, 4).Select(i => (uint)Enumerable.Range(0, 4).Sum(b => (long)(byte)entry(4 * i + b) << (8 * b)))];
        tile.Code.Line($"{tile.Set.Vector}<byte> {name} = {tile.Set.Vector}.Create({string.Join(", ", Enumerable.Range(0, tile.Set.Lanes).Select(i => $"0x{dwords[i % 4]:x8}"))}).AsByte();");
    }

    private sealed class PlainCode : NibbleCode
    {
        public override NibbleSum[] Sums(InstructionSet set, string? correction) =>
            [new("s", correction is null ? set.Zero : set.Start(correction, 1), null)];
    }

    /// <summary>FP4 (E2M1) doubled. Sums of 16 products fit into int16, so one byte with the zero point 16 will do.</summary>
    private sealed class MXFP4Code : NibbleCode
    {
        private static readonly int[] Values = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

        public override void Declare(TileBody tile) => Table(tile, "table", i => Values[i] + 16);

        public override NibbleSum[] Sums(InstructionSet set, string? correction) =>
            [new("s", set.Start(correction!, 1), n => set.Lookup("table", n))];
    }

    /// <summary>The values of IQ4_NL and IQ4_XS: eight bits, so that value + 128 is looked up in halves for vpmaddubsw.</summary>
    private sealed class IQ4Code : NibbleCode
    {
        private static readonly int[] Values = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

        public override void Declare(TileBody tile)
        {
            if (tile.Set.PairSums)
            {
                Table(tile, "low", i => Values[i] + 128 & 15);
                Table(tile, "high", i => Values[i] + 128 >> 4);
            }
            else Table(tile, "table", i => tile.Set.SignedWeights ? Values[i] : Values[i] + 128);
        }

        public override bool Corrects(InstructionSet set) => !set.SignedWeights;

        public override NibbleSum[] Sums(InstructionSet set, string? correction) => set switch
        {
            { PairSums: true } => [new("s", set.Zero, n => set.Lookup("low", n)), new("u", set.Start(correction!, 1), n => set.Lookup("high", n))],
            { SignedWeights: true } => [new("s", set.Zero, n => set.Lookup("table", n))],
            _ => [new("s", set.Start(correction!, 16), n => set.Lookup("table", n))],
        };

        public override string Total(InstructionSet set, string index) =>
            set.PairSums ? $"{set.Total("s" + index)} + {set.Total("u" + index, 16)}" : base.Total(set, index);

        public override string Scaled(InstructionSet set, string index, string scales) =>
            set.PairSums ? $"{set.Scaled("s" + index, scales)} + {set.Scaled("u" + index, scales + "Times16")}" : base.Scaled(set, index, scales);
    }
}

/// <summary>A sum over products with one weight byte of each nibble.</summary>
/// <param name="Name">Prefix of its variables.</param>
/// <param name="Start">Its start value.</param>
/// <param name="Weight">The weight byte of a nibble, or null when it is the nibble itself.</param>
internal sealed record NibbleSum(string Name, string Start, Func<string, string>? Weight);
