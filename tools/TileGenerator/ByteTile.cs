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
        tile.Code.Line($"int* q = {tile.AtToken("quants", BlockDwords)};");
        tile.Code.Line($"float* xs = {tile.AtToken("scales", 1)};");
        if (corrections) tile.Code.Line($"int* c = {tile.AtToken("corrections", 1)};");
    }

    /// <summary>Declares <c>{name}{vector}</c> for the bytes of each row vector at <paramref name="pointer"/>.</summary>
    protected static void LoadBytes(TileBody tile, string name, string pointer, string change = "", bool prefetch = true)
    {
        string v = tile.Set.Vector;
        if (prefetch) tile.Prefetch(pointer, 0);
        tile.EachRow(r => $"{v}<byte> {name}{r} = {v}.Load({TileBody.Plus(pointer, r * tile.Set.Lanes * 4)}){change};");
    }

    /// <summary>Declares <c>low{group}_{vector}</c> and <c>high{group}_{vector}</c>; <paramref name="fifth"/> gives bit 4 for a row vector and a half (0 or 1).</summary>
    protected static void LoadNibbles(TileBody tile, Group group, Func<int, int, string>? fifth = null)
    {
        string Fifth(string nibble, int r, int half) => fifth is null ? nibble : $"({nibble}) | ({fifth(r, half)})";
        LoadBytes(tile, $"v{group.Number}_", group.Weights);
        Unpack(tile, $"low{group.Number}_", r => Fifth(LowNibble(tile.Set, $"v{group.Number}_{r}"), r, 0));
        Unpack(tile, $"high{group.Number}_", r => Fifth(HighNibble(tile.Set, $"v{group.Number}_{r}"), r, 1));
    }

    protected static string LowNibble(InstructionSet set, string bytes) => $"{bytes} & {set.Vector}.Create((byte)15)";

    protected static string HighNibble(InstructionSet set, string bytes) => $"{set.Vector}.ShiftRightLogical({bytes}.AsUInt16(), 4).AsByte() & {set.Vector}.Create((byte)15)";

    /// <summary>Bit <paramref name="bit"/> of each byte, as bit 4.</summary>
    protected static string HighBit(InstructionSet set, string bytes, int bit)
    {
        string words = bytes + ".AsUInt16()";
        string moved = bit == 4 ? bytes : $"{set.Vector}.{(bit < 4 ? $"ShiftLeft({words}, {4 - bit})" : $"ShiftRightLogical({words}, {bit - 4})")}.AsByte()";
        return $"{moved} & {set.Vector}.Create((byte)16)";
    }

    /// <summary>Declares the unpacked bytes of each row vector.</summary>
    protected static void Unpack(TileBody tile, string name, Func<int, string> expression) =>
        tile.EachRow(r => $"{tile.Set.Vector}<byte> {name}{r} = {expression(r)};");

    /// <summary>A group of four columns in a step: number within the step, pointer to its weights, index of its activations in a token's dwords.</summary>
    protected readonly record struct Group(int Number, string Weights, int Dword);

    /// <summary>
    /// The body for all of <paramref name="count"/> groups, as many at once as the instruction set likes. It gets the groups and the pointer to their
    /// activations. Wide tiles loop, and by pointers: an index would cost a sign extension at every load.
    /// </summary>
    protected static void Groups(TileBody tile, int count, Action<Group[], string> body)
    {
        int step = tile.Set.GroupsPerStep;
        Group[] Step(string pointer, int first) => [.. Enumerable.Range(0, step).Select(i => new Group(i, TileBody.Plus(pointer, (first + i) * 64), first + i))];
        if (tile.Unroll)
        {
            for (int g = 0; g < count; g += step)
            {
                int first = g;
                tile.Code.Block("", () => body(Step("w", first), "q"));
            }
        }
        else
        {
            tile.Code.Line("int* qg = q;");
            tile.Code.Block($"for (byte* wg = w; wg < w + {count * 64}; wg += {step * 64})", () =>
            {
                body(Step("wg", 0), "qg");
                tile.Code.Line($"qg += {step};");
            });
        }
    }

    /// <summary>Products to add to a sum: weights by the name of their vectors, and the index of the dword of activations.</summary>
    protected readonly record struct Product(string Weights, int Dword);

    /// <summary>Adds products to the sums of all tokens.</summary>
    protected static void Dot(TileBody tile, string quants, params (string Sum, Product[] Products)[] sums)
    {
        InstructionSet set = tile.Set;
        int[] dwords = [.. sums.SelectMany(s => s.Products).Select(p => p.Dword).Distinct()];
        for (int t = 0; t < tile.Tokens; t++)
        {
            int token = t;
            foreach (int dword in dwords)
                tile.Code.Line($"{set.Vector}<sbyte> a{token}_{dword} = {set.Activations($"{quants}[{token * BlockDwords + dword}]")};");
            foreach ((string sum, Product[] products) in sums)
                tile.EachRow(r => $"{sum}{r}_{token} = {set.Dot($"{sum}{r}_{token}", [.. products.Select(p => (set.SignedWeights ? $"{p.Weights}{r}.AsSByte()" : p.Weights + r, $"a{token}_{p.Dword}"))])};");
        }
    }

    /// <summary>Adds the low and high nibbles of groups (columns k and k + 16) to the sums of a code.</summary>
    protected static void Dot(TileBody tile, string quants, NibbleCode code, Group[] groups)
    {
        var sums = code.Sums(tile.Set, null);
        foreach (NibbleSum sum in sums.Where(s => s.Weight is not null))
            foreach (Group g in groups)
                foreach (string half in (string[])["low", "high"])
                    Unpack(tile, $"{sum.Name}{half}{g.Number}_", r => sum.Weight!($"{half}{g.Number}_{r}"));
        Dot(tile, quants, [.. sums.Select(sum =>
        {
            string prefix = sum.Weight is null ? "" : sum.Name;
            return (sum.Name, (Product[])[.. groups.Select(g => new Product($"{prefix}low{g.Number}_", g.Dword)), .. groups.Select(g => new Product($"{prefix}high{g.Number}_", g.Dword + 4))]);
        })]);
    }
}
