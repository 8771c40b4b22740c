namespace Inference.KvCache.Tests;

/// <summary>The oracle: sequences as lists of stamps, block counts by arithmetic, and a memory and device tables that are really written.</summary>
internal sealed class MemoryModel(KvAllocator kv, CacheGroup[] groups)
{
    private sealed class Expected
    {
        public readonly List<long> Stamps = [];
        public int Reserved;
    }

    private readonly Dictionary<KvSequence, Expected> _expected = [];
    private readonly List<KvSequence> _idle = [];
    private readonly long[][] _memory = [.. groups.Select(g => new long[g.Blocks * g.BlockSize])];
    private readonly int[][,] _deviceTables = [.. groups.Select(g => new int[kv.MaxSequences, kv.MaxLength / g.BlockSize + 1])];
    private readonly int[] _peaks = new int[groups.Length];
    private long _stamp, _evictions;

    public void Admit(KvSequence sequence)
    {
        if (_expected.Count == kv.MaxSequences && _idle.Count > 0) Evict();
        bool room = _expected.Count < kv.MaxSequences;
        Assert.Equal(room, kv.TryAdmit(sequence));
        if (room) _expected.Add(sequence, new Expected());
    }

    public void Reserve(KvSequence sequence, int count)
    {
        Expected expected = _expected[sequence];
        count = Math.Min(count, kv.MaxLength - expected.Reserved);
        bool room = Fits(_expected.Where(e => !_idle.Contains(e.Key)).Select(e => e.Value));
        Assert.Equal(room, count <= kv.Reservable(sequence));
        while (room && !Fits(_expected.Values)) Evict();
        Assert.Equal(room, kv.TryReserve(sequence, count));
        if (room) expected.Reserved += count;

        bool Fits(IEnumerable<Expected> holders) => Enumerable.Range(0, groups.Length).All(g =>
            Blocks(g, expected.Reserved + count) - Blocks(g, expected.Reserved) <= groups[g].Blocks - holders.Sum(e => Held(g, e)));
    }

    public void Park(KvSequence sequence)
    {
        kv.Park(sequence);
        Expected expected = _expected[sequence];
        expected.Reserved = expected.Stamps.Count;
        if (expected.Reserved > 0) _idle.Add(sequence);
        else _expected.Remove(sequence);
    }

    public void Resume(KvSequence sequence)
    {
        kv.Resume(sequence);
        _idle.Remove(sequence);
    }

    /// <summary>Others need what the sequence that was parked first holds; the allocator finds out by itself.</summary>
    private void Evict()
    {
        _expected.Remove(_idle[0]);
        _idle.RemoveAt(0);
        _evictions++;
    }

    /// <summary>Uploads new entries and writes every reserved slot, as a step does, then commits the first of them.</summary>
    public void Commit(KvSequence sequence, int count)
    {
        Expected expected = _expected[sequence];
        int start = expected.Stamps.Count, reserved = expected.Reserved - start;
        count = Math.Min(count, reserved);
        long first = _stamp;
        _stamp += reserved;
        for (int g = 0; g < groups.Length; g++)
        {
            BlockTable table = kv.Table(sequence, g);
            for (int i = table.FirstNew; i < table.End; i++) _deviceTables[g][sequence.TableSlot, i] = table[i];
            var slots = new int[reserved];
            kv.CopySlots(sequence, g, start, slots);
            for (int i = 0; i < reserved; i++) _memory[g][slots[i]] = first + i;
        }
        kv.Commit(sequence, count);
        for (int i = 0; i < count; i++) expected.Stamps.Add(first + i);
        expected.Reserved = expected.Stamps.Count;
    }

    public void Truncate(KvSequence sequence, int length)
    {
        Expected expected = _expected[sequence];
        length = Math.Min(length, expected.Stamps.Count);
        // A window that has moved on cannot come back, except by starting over.
        for (int g = 0; g < groups.Length; g++)
            if (length > 0 && FirstRead(g, length) / groups[g].BlockSize < FirstRead(g, expected.Stamps.Count) / groups[g].BlockSize)
            {
                Assert.False(kv.CanTruncate(sequence, length));
                Assert.Throws<ArgumentOutOfRangeException>(() => kv.Truncate(sequence, length));
                return;
            }
        Assert.True(kv.CanTruncate(sequence, length));
        kv.Truncate(sequence, length);
        expected.Stamps.RemoveRange(length, expected.Stamps.Count - length);
        expected.Reserved = length;
    }

    public void Release(KvSequence sequence)
    {
        kv.Release(sequence);
        _expected.Remove(sequence);
        _idle.Remove(sequence);
    }

    public void Check()
    {
        Assert.Equal((_idle.Count, _evictions), (kv.IdleCount, kv.Evictions));
        foreach (KvSequence sequence in _idle) Assert.True(sequence.IsIdle);
        foreach ((KvSequence sequence, Expected expected) in _expected)
        {
            Assert.Equal((expected.Stamps.Count, expected.Reserved), (sequence.Committed, sequence.Reserved));
            for (int g = 0; g < groups.Length; g++)
            {
                int size = groups[g].BlockSize;
                for (int p = FirstRead(g, expected.Stamps.Count); p < expected.Stamps.Count; p++)
                    Assert.Equal(expected.Stamps[p], _memory[g][_deviceTables[g][sequence.TableSlot, p / size] * size + p % size]);
            }
        }
        for (int g = 0; g < groups.Length; g++)
        {
            _peaks[g] = Math.Max(_peaks[g], Used(g));
            Assert.Equal(new KvStatistics(groups[g].Blocks, groups[g].Blocks - Used(g), _idle.Sum(s => Held(g, _expected[s])), _peaks[g]), kv.Statistics(g));
        }
    }

    private int FirstRead(int g, int length) => groups[g].Kind is WindowCache window ? Math.Max(0, length - window.Window + 1) : 0;

    private int Blocks(int g, int length) => (length + groups[g].BlockSize - 1) / groups[g].BlockSize;

    private int Held(int g, Expected e) => Blocks(g, e.Reserved) - FirstRead(g, e.Stamps.Count) / groups[g].BlockSize;

    private int Used(int g) => _expected.Values.Sum(e => Held(g, e));
}
