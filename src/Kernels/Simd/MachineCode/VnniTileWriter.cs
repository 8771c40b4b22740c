namespace Inference.Kernels;

/// <summary>
/// Writes tiles for AVX-512 VNNI, which .NET has no class for: the same layouts, the same order of float operations and so the same bits as the tiles of tools/TileGenerator.
/// A block sum is one int32 lane for each row, four columns at an instruction (vpdpbusd), and its zero point comes off at the start.
/// Arguments come as on every System V x86-64 system: panel in rdi, columns in esi, input in rdx, sums in rcx; no register that a caller relies on is used but rbx, which is kept.
/// </summary>
internal sealed unsafe class VnniTileWriter(VectorAssembler assembler, int tokens)
{
    private const Gpr Panel = Gpr.Rax, Chunk = Gpr.Rdi, Output = Gpr.Rcx, Quants = Gpr.R8, Scales = Gpr.R9, Totals = Gpr.R10, Sums = Gpr.Rdx, Blocks = Gpr.R11, Chunks = Gpr.Rsi, Unit = Gpr.Rbx;

    // Vector registers: accumulators 0-7 and block sums 8-15 by token, inner sums of K types 22-29 by token; the rest by name.
    private const int Sum = 8, Inner = 22, Raw = 16, Low = 17, High = 18, Bits = 19, Moved = 20, Minimum = 20, Zero = 21, NibbleMask = 31, BitMask = 30;
    private const int Ahead = 4096;

    /// <summary>Q8_0: bytes of weight + 128.</summary>
    public void Q8_0() => Block(groups: 8, blockBytes: 544, zeroBits: 7, bitMask: 0, group =>
    {
        LoadGroup(Raw, At(Panel, 32 + 64 * group));
        Dot(Raw, group);
    });

    /// <summary>Q4_0: columns k and k + 16 in the nibbles of a byte.</summary>
    public void Q4_0() => Block(groups: 4, blockBytes: 288, zeroBits: 3, bitMask: 0, group =>
    {
        LoadNibbles(At(Panel, 32 + 64 * group));
        Dot(Low, group);
        Dot(High, group + 4);
    });

    /// <summary>Q5_0: fifth bits before the nibbles, bit 2 g of a row's dword for group g, bit 2 g + 1 for group g + 4.</summary>
    public void Q5_0() => Block(groups: 4, blockBytes: 352, zeroBits: 4, bitMask: 0x10, group =>
    {
        if (group == 0) LoadGroup(Bits, At(Panel, 32));
        LoadNibbles(At(Panel, 96 + 64 * group));
        Merge(Low, Bits, 4 - 2 * group);
        Merge(High, Bits, 3 - 2 * group);
        Dot(Low, group);
        Dot(High, group + 4);
    });

    /// <summary>acc += float(sum) * (d * scale), one scale for 32 columns.</summary>
    private void Block(int groups, int blockBytes, int zeroBits, int bitMask, Action<int> products)
    {
        Begin(columnBits: 5, bitMask);
        int loop = assembler.Length;
        StartFromTotals(zeroBits, 0);
        for (int g = 0; g < groups; g++) products(g);
        Scale(Raw, At(Panel, 0));
        for (int t = 0; t < tokens; t++)
        {
            assembler.ToSingle(Sum + t, Sum + t);
            assembler.MultiplySingle(Low, Raw, At(Scales, 4 * t));
            assembler.MultiplyAdd(t, Sum + t, Low);
        }
        assembler.Add(Panel, blockBytes);
        Advance(blocks: 1, totals: 1);
        assembler.DecrementAndLoop(Blocks, loop);
        End();
    }

    /// <summary>Q4_K and Q5_K: eight sub-blocks of 32 columns; the scaled sums meet d at the end, the mins at once.</summary>
    public void Q4_K(bool highBits)
    {
        int bitBytes = highBits ? 128 : 0, chunkBytes = 64 + bitBytes + 512;
        Begin(columnBits: 8, highBits ? 0x10 : 0);
        int loop = assembler.Length;
        Scale(Minimum, At(Panel, 32));
        if (highBits)
        {
            Scale(Zero, At(Panel, 0));
            assembler.Move(Chunk, BitConverter.SingleToInt32Bits(-16f));
            assembler.Broadcast(Raw, Chunk);
            assembler.MultiplySingle(Zero, Zero, Raw);
        }
        int chunkLoop = BeginChunks();
        for (int half = 0; half < 2; half++)
        {
            if (highBits) StartFromTotals(4, half);
            else
                for (int t = 0; t < tokens; t++) assembler.Zero(Sum + t);
            if (highBits) LoadGroup(High, At(Chunk, 64 + 64 * half));
            for (int g = 0; g < 8; g++)
            {
                LoadGroup(Raw, At(Chunk, 64 + bitBytes + 64 * g), ahead: half == 0);
                if (half == 1) assembler.ShiftShorts(Raw, Raw, -4);
                assembler.And(Low, Raw, NibbleMask);
                if (highBits) Merge(Low, High, 4 - g, Bits);
                Dot(Low, g, half);
            }
            FinishSubBlock(half, highBits);
        }
        assembler.Add(Chunk, chunkBytes);
        Advance(blocks: 2, totals: highBits ? 2 : 0, sums: 2);
        assembler.DecrementAndLoop(Chunks, chunkLoop);
        Scale(Raw, At(Panel, 0));
        for (int t = 0; t < tokens; t++) assembler.MultiplyAdd(t, Inner + t, Raw);
        assembler.Move(Panel, Chunk);
        assembler.DecrementAndLoop(Blocks, loop);
        End();
    }

    /// <summary>inner += float(sum * scale) * x; acc += m * (negative sum of x), m = min * dmin, and 16 * d * scale less where 16 was taken off the quants.</summary>
    private void FinishSubBlock(int half, bool highBits)
    {
        assembler.WidenBytes(Low, At(Chunk, 16 * half));
        assembler.WidenBytes(Raw, At(Chunk, 32 + 16 * half));
        assembler.ToSingle(Raw, Raw);
        assembler.MultiplySingle(Raw, Raw, Minimum);
        if (highBits)
        {
            assembler.ToSingle(Bits, Low);
            assembler.MultiplyAdd(Raw, Bits, Zero);
        }
        for (int t = 0; t < tokens; t++)
        {
            assembler.Multiply(Sum + t, Sum + t, Low);
            assembler.ToSingle(Sum + t, Sum + t);
            assembler.MultiplyAdd(Inner + t, Sum + t, At(Scales, 4 * (half * tokens + t)));
            assembler.MultiplyAdd(t, Raw, At(Sums, 4 * (half * tokens + t)));
        }
    }

    /// <summary>
    /// Q6_K: sub-blocks of 16 columns, two to a block of activations. Low nibbles of groups 0 | 1 and 2 | 3, and the upper bit pairs of all four, group g at bit 2 g. The tokens of a sub-block come one after
    /// the other, since its four groups stay in registers; the second half of a pair adds to the first's scaled sum.
    /// </summary>
    public void Q6_K()
    {
        const int upper = 20, sum = 21;
        Begin(columnBits: 8, bitMask: 0x30);
        int loop = assembler.Length, chunkLoop = BeginChunks();
        for (int number = 0; number < 4; number++)
        {
            int pair = number / 2, half = number % 2;
            Address at = At(Chunk, 64 + 192 * number);
            LoadGroup(16, at);
            LoadGroup(18, at + 64);
            LoadGroup(upper, at + 128);
            for (int w = 16; w < 20; w += 2)
            {
                assembler.ShiftShorts(w + 1, w, -4);
                assembler.And(w + 1, w + 1, NibbleMask);
                assembler.And(w, w, NibbleMask);
            }
            for (int g = 0; g < 4; g++) Merge(16 + g, upper, 4 - 2 * g, sum);
            assembler.WidenSignedBytes(upper, At(Chunk, 16 * number));
            for (int t = 0; t < tokens; t++)
            {
                int to = half == 0 ? Sum + t : sum;
                assembler.Broadcast(to, At(Totals, 4 * (number * tokens + t)));
                assembler.ShiftLeft(to, to, 5);
                for (int g = 0; g < 4; g++) assembler.Dot(to, 16 + g, At(Quants, 32 * (pair * tokens + t) + 4 * (4 * half + g)));
                assembler.Multiply(to, to, upper);
                if (half == 1) assembler.Add(Sum + t, Sum + t, sum);
            }
            if (half == 0) continue;
            for (int t = 0; t < tokens; t++)
            {
                assembler.ToSingle(Sum + t, Sum + t);
                assembler.MultiplyAdd(Inner + t, Sum + t, At(Scales, 4 * (pair * tokens + t)));
            }
        }
        assembler.Add(Chunk, 832);
        Advance(blocks: 2, totals: 4);
        assembler.DecrementAndLoop(Chunks, chunkLoop);
        assembler.Load(Raw, At(Panel, 0));
        for (int t = 0; t < tokens; t++) assembler.MultiplyAdd(t, Inner + t, Raw);
        assembler.Move(Panel, Chunk);
        assembler.DecrementAndLoop(Blocks, loop);
        End();
    }

    private static Address At(Gpr register, int offset) => new(register, offset);

    /// <summary>Pointers and constants into registers, accumulators to zero.</summary>
    private void Begin(int columnBits, int bitMask)
    {
        TileInput input;
        byte* start = (byte*)&input;
        assembler.Push(Unit);
        assembler.Move(Panel, 0x0f0f0f0f);
        assembler.Broadcast(NibbleMask, Panel);
        if (bitMask != 0)
        {
            assembler.Move(Panel, bitMask * 0x01010101);
            assembler.Broadcast(BitMask, Panel);
        }
        assembler.Move(Unit, BitConverter.SingleToInt32Bits(1 / TileConstants.StoredFactor));
        assembler.Move(Panel, Gpr.Rdi);
        assembler.Move(Blocks, Gpr.Rsi);
        assembler.ShiftRight(Blocks, columnBits);
        assembler.Move(Quants, At(Gpr.Rdx, (int)((byte*)&input.Quants - start)));
        assembler.Move(Scales, At(Gpr.Rdx, (int)((byte*)&input.Scales - start)));
        assembler.Move(Totals, At(Gpr.Rdx, (int)((HalfTotals ? (byte*)&input.HalfTotals : (byte*)&input.Totals) - start)));
        assembler.Move(Sums, At(Gpr.Rdx, (int)((byte*)&input.NegativeSums - start)));
        for (int t = 0; t < tokens; t++) assembler.Zero(t);
    }

    /// <summary>Whether the zero point comes off sub-blocks of 16 columns.</summary>
    public bool HalfTotals { get; init; }

    private void End()
    {
        for (int t = 0; t < tokens; t++) assembler.Store(At(Output, 64 * t), t);
        assembler.Pop(Unit);
        assembler.Return();
    }

    private int BeginChunks()
    {
        for (int t = 0; t < tokens; t++) assembler.Zero(Inner + t);
        assembler.Move(Chunk, Panel);
        assembler.Add(Chunk, 64);
        assembler.Move(Chunks, 4);
        return assembler.Length;
    }

    /// <summary>Moves on by so many blocks of activations of 32 columns, and so many rows of totals and sums.</summary>
    private void Advance(int blocks, int totals, int sums = 0)
    {
        assembler.Add(Quants, 32 * blocks * tokens);
        assembler.Add(Scales, 4 * blocks * tokens);
        if (totals > 0) assembler.Add(Totals, 4 * totals * tokens);
        if (sums > 0) assembler.Add(Sums, 4 * sums * tokens);
    }

    /// <summary>sum = -2^zeroBits * (sum of the block's activations).</summary>
    private void StartFromTotals(int zeroBits, int block)
    {
        for (int t = 0; t < tokens; t++)
        {
            assembler.Broadcast(Sum + t, At(Totals, 4 * (block * tokens + t)));
            assembler.ShiftLeft(Sum + t, Sum + t, zeroBits);
        }
    }

    /// <summary>16 scales, stored as float16 times <see cref="TileConstants.StoredFactor"/>.</summary>
    private void Scale(int to, Address from)
    {
        assembler.HalvesToSingle(to, from);
        assembler.Broadcast(Bits, Unit);
        assembler.MultiplySingle(to, to, Bits);
    }

    /// <summary>Loads 64 bytes of weights. Tiles that compute longer than the hardware looks ahead fetch what comes later; one and two tokens are left to it.</summary>
    /// <param name="to">Register.</param>
    /// <param name="from">Where they lie.</param>
    /// <param name="ahead">False where they were loaded before.</param>
    private void LoadGroup(int to, Address from, bool ahead = true)
    {
        if (ahead && tokens >= 4) assembler.Prefetch(from + Ahead);
        assembler.Load(to, from);
    }

    private void LoadNibbles(Address from)
    {
        LoadGroup(Raw, from);
        assembler.ShiftShorts(High, Raw, -4);
        assembler.And(Low, Raw, NibbleMask);
        assembler.And(High, High, NibbleMask);
    }

    /// <summary>Moves bits to their place in the bytes of <paramref name="to"/>.</summary>
    private void Merge(int to, int bits, int left, int moved = Moved)
    {
        if (left != 0) assembler.ShiftShorts(moved, bits, left);
        assembler.And(moved, left == 0 ? bits : moved, BitMask);
        assembler.Or(to, to, moved);
    }

    /// <summary>Adds four columns of all tokens: group <paramref name="group"/> of eight in a block of activations.</summary>
    private void Dot(int weights, int group, int block = 0)
    {
        for (int t = 0; t < tokens; t++) assembler.Dot(Sum + t, weights, At(Quants, 32 * (block * tokens + t) + 4 * group));
    }
}
