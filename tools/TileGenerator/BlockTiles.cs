namespace TileGenerator;

/// <summary>Weight = d * (nibble - 8).</summary>
internal sealed class Q4_0Tile : BlockTile
{
    public override string Type => "Q4_0";
    protected override string Corrections => "Corrections8";
}

/// <summary>Weight = d * nibble + min.</summary>
internal sealed class Q4_1Tile : BlockTile
{
    public override string Type => "Q4_1";
    protected override bool HasMin => true;
}

/// <summary>Weight = d * (q - 16), q of five bits.</summary>
internal sealed class Q5_0Tile : BlockTile
{
    public override string Type => "Q5_0";
    protected override bool HasHighBits => true;
    protected override string Corrections => "Corrections16";
}

/// <summary>
/// Weight = d * q + min, q of five bits. Sums of q would leave int16 (31 * 127 * 16); those of q - 16 stay, and 16 * d goes to the min.
/// </summary>
internal sealed class Q5_1Tile : BlockTile
{
    public override string Type => "Q5_1";
    protected override bool HasMin => true;
    protected override bool HasHighBits => true;
    protected override string Corrections => "Corrections16";
    protected override int ZeroPoint => 16;
}

/// <summary>Weight = 2^e * value of the nibble, -12 to 12: looked up with 16 added.</summary>
internal sealed class MXFP4Tile : BlockTile
{
    public override string Type => "MXFP4";
    protected override int ScaleBytes => 1;
    protected override string Corrections => "Corrections16";
    protected override NibbleCode Nibbles => NibbleCode.MXFP4;
    protected override string Scale(InstructionSet set, string pointer) => $"{set.Vector}.ShiftLeft({set.WidenBytes(pointer)}, 23).AsSingle()";
}

/// <summary>Weight = d * value of the nibble, -127 to 113.</summary>
internal sealed class IQ4_NLTile : BlockTile
{
    public override string Type => "IQ4_NL";
    protected override NibbleCode Nibbles => NibbleCode.IQ4;
    protected override string Corrections => "Corrections8";
}
