namespace Inference.Models;

/// <summary>
/// From a pair of numbers to a pair of numbers: merges of two tokens, or the steps of a trie. Open addressing, one cache line for a look-up.
/// Safe for concurrent reading.
/// </summary>
internal sealed class PairMap
{
    private struct Entry
    {
        /// <summary>The pair plus one, so that zero is free.</summary>
        public ulong Key;
        public int First;
        public int Second;
    }

    private Entry[] entries;
    private int shift;
    private int count;

    /// <param name="capacity">Pairs that fit without growing.</param>
    public PairMap(int capacity)
    {
        int bits = Math.Max(4, 32 - int.LeadingZeroCount(capacity + capacity / 8 * 5));
        entries = new Entry[1 << bits];
        shift = 64 - bits;
    }

    /// <summary>Adds a pair; of equals, the first counts.</summary>
    /// <param name="left">0 or more.</param>
    /// <param name="right">0 or more.</param>
    /// <param name="first">What the pair maps to.</param>
    /// <param name="second">The rest of it.</param>
    /// <returns>False when the pair was there.</returns>
    public bool TryAdd(int left, int right, int first, int second)
    {
        if (count > entries.Length / 8 * 5) Grow();
        ref Entry entry = ref Find(Key(left, right));
        if (entry.Key != 0) return false;
        entry = new Entry { Key = Key(left, right), First = first, Second = second };
        count++;
        return true;
    }

    public bool TryGet(int left, int right, out int first, out int second)
    {
        ref Entry entry = ref Find(Key(left, right));
        (first, second) = (entry.First, entry.Second);
        return entry.Key != 0;
    }

    /// <summary>Changes the second number of a pair that is there.</summary>
    public void SetSecond(int left, int right, int second) => Find(Key(left, right)).Second = second;

    private static ulong Key(int left, int right) => (ulong)(uint)left << 32 | (uint)right + 1UL;

    /// <summary>The pair's entry, or the free one where it would go.</summary>
    private ref Entry Find(ulong key)
    {
        Entry[] table = entries;
        uint index = (uint)(key * 0x9E3779B97F4A7C15 >> shift);
        while (true)
        {
            ref Entry entry = ref table[index];
            if (entry.Key == key || entry.Key == 0) return ref entry;
            index = index + 1 & (uint)(table.Length - 1);
        }
    }

    private void Grow()
    {
        Entry[] old = entries;
        entries = new Entry[old.Length * 2];
        shift--;
        foreach (Entry entry in old)
            if (entry.Key != 0) Find(entry.Key) = entry;
    }
}
