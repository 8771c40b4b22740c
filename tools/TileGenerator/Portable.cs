namespace TileGenerator;

/// <summary>Vector128 as .NET maps it to any processor; the parts that no cross-platform call has are in PortableParts.</summary>
internal sealed class Portable : InstructionSet
{
    public override string Name => "Portable";
    public override string Vector => "Vector128";
    public override int Lanes => 4;
    public override int[] Tokens => [1, 2, 4];
    public override string[] Usings => ["System.Runtime.Intrinsics"];
    public override bool HasPrefetch => false;
    public override bool PairSums => false;
    public override bool SignedWeights => true;

    public override int RowVectors(int tokens, int panelRows) => panelRows == 16 ? 4 / tokens : tokens == 1 ? 8 : 8 / tokens;
    public override string Zero => "Vector128<int>.Zero";
    public override string Start(string correction, int factor) => $"PortableParts.Start({correction}, {factor})";
    protected override string Dot(string sum, string weights, string activations) => $"PortableParts.Dot({sum}, {weights}, {activations})";
    public override string Total(string sum, int factor = 1) => sum;
    public override string Scaled(string sum, string scales) => $"{sum} * {scales}";
    public override string Scales(string pointer, bool signed) => signed ? $"PortableParts.WidenBytes((sbyte*)({pointer}))" : WidenBytes(pointer);
    public override string WidenBytes(string pointer) => $"PortableParts.WidenBytes({pointer})";
    public override string WidenShorts(string pointer) => $"PortableParts.WidenShorts((short*)({pointer}))";
    public override string Lookup(string table, string indices) => $"Vector128.ShuffleNative({table}, {indices})";
    public override string MultiplyAdd(string a, string b, string c) => $"Vector128.MultiplyAddEstimate({a}, {b}, {c})";
}
