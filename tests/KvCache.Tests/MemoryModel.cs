namespace Inference.KvCache.Tests;

/// <summary>
/// The oracle: sequences as lists of tokens, blocks as objects (<see cref="ModelPool"/>), and a memory and device tables that are really written. What a slot holds is the
/// whole text up to its token, as keys and values do; nobody may find another's.
/// </summary>
internal sealed class MemoryModel(KvAllocator kv, CacheGroup[] groups, int swapBlocks)
{
    private sealed class Expected
    {
        public readonly List<int> Tokens = [];
        public int Reserved;
        public bool Swapped;
        public readonly List<ModelPool.Block?>[] Blocks = new List<ModelPool.Block?>[2];
    }

    private readonly Dictionary<KvSequence, Expected> _expected = [];
    private readonly ModelPool[] _pools = [.. groups.Select(g => new ModelPool(g.Blocks))];
    private readonly string?[][] _memory = [.. groups.Select(g => new string?[g.Blocks * g.BlockSize])];
    private readonly string?[][] _swapSpace = [.. groups.Select(g => new string?[swapBlocks * g.BlockSize])];
    private readonly int[][,] _deviceTables = [.. groups.Select(g => new int[kv.MaxSequences, kv.MaxLength / g.BlockSize + 1])];

    public long Hits { get; private set; }
    public long Tails { get; private set; }
    public long Copies { get; private set; }
    public long Forks { get; private set; }
    public long SwapIns { get; private set; }

    private int Admitted => _expected.Values.Count(e => !e.Swapped);

    /// <summary>Admits a sequence that is to have this text, and begins it with what is found.</summary>
    public void Admit(KvSequence sequence, int[] text, int limit)
    {
        bool room = Admitted < kv.MaxSequences;
        Assert.Equal(room, kv.TryAdmit(sequence));
        if (!room) return;
        var expected = new Expected();
        for (int g = 0; g < groups.Length; g++) expected.Blocks[g] = [];
        _expected.Add(sequence, expected);
        limit = Math.Min(limit, text.Length);
        int found = kv.AttachPrefix(sequence, text, limit);
        if (sequence.Root is null) return;
        int length = limit;
        while (length > 0 && !Enumerable.Range(0, groups.Length).All(g => length % groups[g].BlockSize == 0 && Missing(sequence, text, length, g) == 0)) length--;
        for (int g = 0; g < groups.Length && length > 0; g++)
            for (int i = 0; i < length / groups[g].BlockSize; i++)
                expected.Blocks[g].Add(i < FirstRead(g, length) / groups[g].BlockSize ? null : _pools[g].Share(_pools[g].Find(Key(sequence, text, (i + 1) * groups[g].BlockSize))!));
        if (length > 0) Hits++;
        int whole = length;
        if (groups.All(g => g.BlockSize == groups[0].BlockSize))
            for (int tail = Math.Min(limit, whole + groups[0].BlockSize - 1); tail > whole && length == whole; tail--)
                if (_pools.All(p => p.Find(Key(sequence, text, tail)) is not null)) length = tail;
        for (int g = 0; g < groups.Length && length > whole; g++)
        {
            ModelPool.Block block = _pools[g].Share(_pools[g].Find(Key(sequence, text, length))!);
            _pools[g].Forget(block);
            expected.Blocks[g].Add(block);
            DropFront(expected, g, length);
        }
        if (length > whole) Tails++;
        expected.Tokens.AddRange(text[..length]);
        expected.Reserved = length;
        Assert.Equal(length, found);
    }

    private int Missing(KvSequence sequence, int[] text, int length, int g) => Enumerable.Range(0, length / groups[g].BlockSize)
        .Count(i => i >= FirstRead(g, length) / groups[g].BlockSize && _pools[g].Find(Key(sequence, text, (i + 1) * groups[g].BlockSize)) is null);

    private static string Key(KvSequence sequence, IEnumerable<int> tokens, int length) => $"{sequence.Root}: {string.Join(' ', tokens.Take(length))}";

    public void Reserve(KvSequence sequence, int count)
    {
        Expected expected = _expected[sequence];
        count = Math.Min(count, kv.MaxLength - expected.Reserved);
        bool room = Enumerable.Range(0, groups.Length).All(g => Needed(expected, expected.Reserved + count, g) <= _pools[g].Available);
        Assert.Equal(room, count <= kv.Reservable(sequence));
        Assert.Equal(room, kv.TryReserve(sequence, count));
        if (!room || count == 0) return;
        for (int g = 0; g < groups.Length; g++)
        {
            int last = expected.Tokens.Count / groups[g].BlockSize;
            if (expected.Tokens.Count % groups[g].BlockSize > 0)
            {
                if (expected.Blocks[g][last]!.References > 1) Copy(expected, last, g);
                else _pools[g].Forget(expected.Blocks[g][last]!);
            }
            while (expected.Blocks[g].Count < Blocks(g, expected.Reserved + count)) expected.Blocks[g].Add(_pools[g].Take());
        }
        expected.Reserved += count;
    }

    private int Needed(Expected expected, int length, int g)
    {
        int last = expected.Tokens.Count / groups[g].BlockSize;
        bool copy = length > expected.Reserved && expected.Tokens.Count % groups[g].BlockSize > 0 && expected.Blocks[g][last]!.References > 1;
        return Blocks(g, length) - Blocks(g, expected.Reserved) + (copy ? 1 : 0);
    }

    private void Copy(Expected expected, int index, int g)
    {
        ModelPool.Block original = expected.Blocks[g][index]!;
        expected.Blocks[g][index] = _pools[g].Take();
        _pools[g].Return(original);
        Copies++;
    }

    /// <summary>Returns the child's text: the parent's first tokens, then those of another text. Null: no fork.</summary>
    public int[]? Fork(KvSequence parent, KvSequence child, int length, int[] then)
    {
        if (Admitted == kv.MaxSequences || child.Root != parent.Root) return null;
        Expected from = _expected[parent];
        length = Math.Min(length, from.Tokens.Count);
        if (!kv.CanTruncate(parent, length)) return null;
        Assert.True(kv.TryAdmit(child));
        bool inFlight = from.Reserved > from.Tokens.Count;
        bool Written(int g) => inFlight && length % groups[g].BlockSize > 0 && length / groups[g].BlockSize == from.Tokens.Count / groups[g].BlockSize;
        bool room = Enumerable.Range(0, groups.Length).All(g => !Written(g) || _pools[g].Available > 0);
        Assert.Equal(room, kv.TryFork(parent, child, length));
        var expected = new Expected { Reserved = room ? length : 0 };
        _expected.Add(child, expected);
        if (room) expected.Tokens.AddRange(from.Tokens.Take(length));
        for (int g = 0; g < groups.Length; g++)
        {
            expected.Blocks[g] = [];
            for (int i = 0; room && i < Blocks(g, length); i++)
                expected.Blocks[g].Add(i < FirstRead(g, length) / groups[g].BlockSize ? null : _pools[g].Share(from.Blocks[g][i]!));
            if (room && Written(g)) Copy(expected, expected.Blocks[g].Count - 1, g);
        }
        if (room && length > 0) Forks++;
        return [.. expected.Tokens, .. then[expected.Tokens.Count..]];
    }

    /// <summary>Moves blocks, uploads new entries and writes every reserved slot, as a step does, then commits the first of them.</summary>
    public void Commit(KvSequence sequence, int count, int[] text)
    {
        Expected expected = _expected[sequence];
        int[] next = text[expected.Tokens.Count..];
        int start = expected.Tokens.Count, reserved = expected.Reserved - start;
        count = Math.Min(count, reserved);
        RunOperations();
        List<int> tokens = [.. expected.Tokens, .. next.Take(reserved)];
        for (int g = 0; g < groups.Length; g++)
        {
            BlockTable table = kv.Table(sequence, g);
            for (int i = table.FirstNew; i < table.End; i++) _deviceTables[g][sequence.TableSlot, i] = table[i];
            var slots = new int[reserved];
            kv.CopySlots(sequence, g, start, slots);
            for (int i = 0; i < reserved; i++) _memory[g][slots[i]] = Key(sequence, tokens, start + i + 1);
        }
        expected.Tokens.AddRange(next.Take(count));
        kv.Commit(sequence, count, expected.Tokens.ToArray());
        CutBack(expected);
        for (int g = 0; g < groups.Length; g++)
        {
            int size = groups[g].BlockSize;
            for (int i = start / size; i < expected.Tokens.Count / size && sequence.Root is not null; i++)
                if (expected.Blocks[g][i] is { } block) _pools[g].Name(block, Key(sequence, expected.Tokens, (i + 1) * size));
            DropFront(expected, g, expected.Tokens.Count);
        }
    }

    private void RunOperations()
    {
        for (int g = 0; g < groups.Length; g++)
            foreach (BlockOperation operation in kv.Operations(g))
            {
                string?[] from = operation.Kind == BlockOperationKind.SwapIn ? _swapSpace[g] : _memory[g], to = operation.Kind == BlockOperationKind.SwapOut ? _swapSpace[g] : _memory[g];
                Array.Copy(from, operation.From * groups[g].BlockSize, to, operation.To * groups[g].BlockSize, groups[g].BlockSize);
            }
        kv.ClearOperations();
    }

    public void SwapOut(KvSequence sequence)
    {
        Expected expected = _expected[sequence];
        int length = expected.Tokens.Count;
        bool room = length > 0 && Enumerable.Range(0, groups.Length).All(g => Read(g, length) <= swapBlocks - _expected.Values.Where(e => e.Swapped).Sum(e => Read(g, e.Tokens.Count)));
        Assert.Equal(room, kv.TrySwapOut(sequence));
        if (!room) return;
        expected.Swapped = true;
        expected.Reserved = 0;
        for (int g = 0; g < groups.Length; g++) ReturnBlocks(expected, g, 0);
        expected.Reserved = length;
    }

    public void SwapIn(KvSequence sequence)
    {
        Expected expected = _expected[sequence];
        int length = expected.Tokens.Count;
        ModelPool.Block? Find(int g, int i) => (i + 1) * groups[g].BlockSize <= length && sequence.Root is not null ? _pools[g].Find(Key(sequence, expected.Tokens, (i + 1) * groups[g].BlockSize)) : null;
        int First(int g) => FirstRead(g, length) / groups[g].BlockSize;
        bool room = Admitted < kv.MaxSequences && Enumerable.Range(0, groups.Length).All(g =>
            Enumerable.Range(First(g), Read(g, length)).Count(i => Find(g, i) is not { References: > 0 }) <= _pools[g].Available);
        Assert.Equal(room, kv.TrySwapIn(sequence, expected.Tokens.ToArray()));
        if (!room) return;
        expected.Swapped = false;
        for (int g = 0; g < groups.Length; g++)
        {
            for (int i = 0; i < Blocks(g, length); i++) expected.Blocks[g].Add(i >= First(g) && Find(g, i) is { } block ? _pools[g].Share(block) : null);
            for (int i = First(g); i < Blocks(g, length); i++)
            {
                if (expected.Blocks[g][i] is not null) continue;
                expected.Blocks[g][i] = _pools[g].Take();
                if ((i + 1) * groups[g].BlockSize <= length && sequence.Root is not null) _pools[g].Name(expected.Blocks[g][i]!, Key(sequence, expected.Tokens, (i + 1) * groups[g].BlockSize));
            }
        }
        SwapIns++;
    }

    /// <summary>Blocks that a sequence of that length reads.</summary>
    private int Read(int g, int length) => Blocks(g, length) - FirstRead(g, length) / groups[g].BlockSize;

    public void Rollback(KvSequence sequence)
    {
        kv.Rollback(sequence);
        CutBack(_expected[sequence]);
    }

    private void CutBack(Expected expected)
    {
        expected.Reserved = expected.Tokens.Count;
        for (int g = 0; g < groups.Length; g++) ReturnBlocks(expected, g, Blocks(g, expected.Reserved));
    }

    private void ReturnBlocks(Expected expected, int g, int keep)
    {
        while (expected.Blocks[g].Count > keep)
        {
            if (expected.Blocks[g][^1] is { } block) _pools[g].Return(block);
            expected.Blocks[g].RemoveAt(expected.Blocks[g].Count - 1);
        }
    }

    private void DropFront(Expected expected, int g, int length)
    {
        for (int i = 0; i < FirstRead(g, length) / groups[g].BlockSize; i++)
        {
            if (expected.Blocks[g][i] is { } block) _pools[g].Return(block);
            expected.Blocks[g][i] = null;
        }
    }

    /// <summary>Returns the sequence's text from now on; null: it cannot go back so far.</summary>
    public int[]? Truncate(KvSequence sequence, int length, int[] then)
    {
        Expected expected = _expected[sequence];
        length = Math.Min(length, expected.Tokens.Count);
        // A window that has moved on cannot come back, except by starting over.
        for (int g = 0; g < groups.Length; g++)
            if (length > 0 && FirstRead(g, length) / groups[g].BlockSize < FirstRead(g, expected.Tokens.Count) / groups[g].BlockSize)
            {
                Assert.False(kv.CanTruncate(sequence, length));
                Assert.Throws<ArgumentOutOfRangeException>(() => kv.Truncate(sequence, length));
                return null;
            }
        Assert.True(kv.CanTruncate(sequence, length));
        kv.Truncate(sequence, length);
        expected.Tokens.RemoveRange(length, expected.Tokens.Count - length);
        CutBack(expected);
        return [.. expected.Tokens, .. then[length..]];
    }

    public void Release(KvSequence sequence, bool retire)
    {
        Expected expected = _expected[sequence];
        int[] tokens = [.. expected.Tokens];
        if (retire) kv.Retire(sequence, tokens);
        else kv.Release(sequence);
        if (!expected.Swapped) CutBack(expected);
        if (retire && !expected.Swapped && sequence.Root is not null && groups.All(g => g.BlockSize == groups[0].BlockSize) && tokens.Length % groups[0].BlockSize > 0)
            for (int g = 0; g < groups.Length; g++)
                if (expected.Blocks[g][^1] is { References: 1, Key: null } block) _pools[g].Name(block, Key(sequence, tokens, tokens.Length));
        expected.Tokens.Clear();
        if (!expected.Swapped) CutBack(expected);
        _expected.Remove(sequence);
    }

    public void Check()
    {
        Assert.Equal((_pools.Sum(p => p.Evictions), Copies), (kv.Evictions, kv.Copies));
        foreach ((KvSequence sequence, Expected expected) in _expected)
        {
            Assert.Equal((expected.Tokens.Count, expected.Reserved), (sequence.Committed, sequence.Reserved));
            Assert.Equal((expected.Swapped, !expected.Swapped), (sequence.IsSwapped, sequence.IsAdmitted));
            for (int g = 0; g < groups.Length && !expected.Swapped; g++)
            {
                int size = groups[g].BlockSize;
                BlockTable table = kv.Table(sequence, g);
                for (int p = FirstRead(g, expected.Tokens.Count); p < expected.Tokens.Count; p++)
                {
                    // Entries that the device has not heard of yet are as the allocator says, and blocks not copied yet as their originals.
                    int block = p / size < table.FirstNew ? _deviceTables[g][sequence.TableSlot, p / size] : table[p / size];
                    Assert.Equal(Key(sequence, expected.Tokens, p + 1), Content(g, block, p % size));
                }
            }
        }
        for (int g = 0; g < groups.Length; g++) Assert.Equal(_pools[g].Statistics, kv.Statistics(g));
    }

    /// <summary>What a block holds once all that is listed is done.</summary>
    private string? Content(int g, int block, int offset)
    {
        bool host = false;
        for (int i = kv.Operations(g).Length - 1; i >= 0; i--)
        {
            BlockOperation operation = kv.Operations(g)[i];
            if (operation.To != block || host != (operation.Kind == BlockOperationKind.SwapOut)) continue;
            block = operation.From;
            host = operation.Kind == BlockOperationKind.SwapIn;
        }
        return (host ? _swapSpace : _memory)[g][block * groups[g].BlockSize + offset];
    }

    private int FirstRead(int g, int length) => groups[g].Kind is WindowCache window ? Math.Max(0, length - window.Window + 1) : 0;

    private int Blocks(int g, int length) => (length + groups[g].BlockSize - 1) / groups[g].BlockSize;
}
