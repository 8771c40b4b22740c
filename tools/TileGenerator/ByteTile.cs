namespace TileGenerator;

/// <summary>
/// Quantised weights: panels of 16 rows, four columns of a row in each 32-bit lane; int8 activations, [block of 32][token][32].
/// Block sums are exact integers; their float32 sum goes over the blocks in order of columns.
/// </summary>
internal abstract class ByteTile : Tile
{
    /// <summary>Dwords of activations of a token in a block of 32.</summary>
    protected const int BlockDwords = 8;

    protected static void DeclareActivations(TileBody tile, string? corrections)
    {
        tile.Code.Line("int* quants = (int*)x->Quants;");
        tile.Code.Line("float* scales = x->Scales;");
        if (corrections is not null) tile.Code.Line($"int* corrections = x->{corrections};");
    }

    /// <summary>Pointers that each pass moves through the activations.</summary>
    protected static void BeginActivations(TileBody tile, bool corrections)
    {
        tile.Code.Line("int* q = quants;");
        tile.Code.Line("float* xs = scales;");
        if (corrections) tile.Code.Line("int* c = corrections;");
    }

    /// <summary>Declares <c>{name}{vector}</c> for the bytes of each row vector at <paramref name="pointer"/>.</summary>
    protected static void LoadBytes(TileBody tile, string name, string pointer)
    {
        string v = tile.Set.Vector;
        tile.EachRow(r => $"{v}<byte> {name}{r} = {v}.Load({TileBody.Plus(pointer, r * tile.Set.Lanes * 4)});");
    }

    protected static string LowNibble(InstructionSet set, string bytes) => $"{bytes} & {set.Vector}.Create((byte)15)";

    protected static string HighNibble(InstructionSet set, string bytes) => $"{set.Vector}.ShiftRightLogical({bytes}.AsUInt16(), 4).AsByte() & {set.Vector}.Create((byte)15)";

    /// <summary>Declares the unpacked bytes of each row vector.</summary>
    protected static void Unpack(TileBody tile, string name, Func<int, string> expression) =>
        tile.EachRow(r => $"{tile.Set.Vector}<byte> {name}{r} = {expression(r)};");

    /// <summary>Adds products to the sums: for each token, <paramref name="steps"/> of weights, dword of activations and sum.</summary>
    protected static void Dot(TileBody tile, params (string Weights, string Dword, string Sum)[] steps)
    {
        InstructionSet set = tile.Set;
        for (int t = 0; t < tile.Tokens; t++)
        {
            string? loaded = null;
            foreach ((string weights, string dword, string sum) in steps)
            {
                if (dword != loaded) tile.Code.Line($"{(loaded is null ? $"{set.Vector}<sbyte> a{t}" : $"a{t}")} = {set.Activations($"q[{Index(t * BlockDwords, dword)}]")};");
                loaded = dword;
                int token = t;
                tile.EachRow(r => $"{sum}{r}_{token} = {set.Dot($"{sum}{r}_{token}", set.SignedWeights ? $"{weights}{r}.AsSByte()" : weights + r, "a" + token)};");
            }
        }
    }

    protected static string Index(int offset, string expression) => int.TryParse(expression, out int number) ? (offset + number).ToString() : TileBody.Plus(expression, offset);
}
