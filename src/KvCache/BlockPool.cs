namespace Inference.KvCache;

/// <summary>
/// The blocks of one cache group. A block is in use, with a reference for each table that lists it; or cached: nobody refers to it, but the index knows what it holds;
/// or free. Free blocks are taken first, the one that has been free longest before the others, then cached ones, the one that was used longest ago before the others.
/// </summary>
internal sealed class BlockPool
{
    private readonly int[] _references;
    private readonly BlockQueue _free;
    private readonly BlockQueue _cached;

    public BlockPool(int blocks)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blocks);
        _references = new int[blocks];
        int[] next = new int[blocks], previous = new int[blocks];
        (_free, _cached) = (new BlockQueue(next, previous), new BlockQueue(next, previous));
        for (int block = 0; block < blocks; block++) _free.Add(block);
        Index = new PrefixIndex(blocks);
    }

    /// <summary>All blocks.</summary>
    public int Total => _references.Length;

    /// <summary>Blocks with nothing in them that anybody could use.</summary>
    public int Free => _free.Count;

    /// <summary>Blocks that nobody refers to and the index knows.</summary>
    public int Cached => _cached.Count;

    /// <summary>Blocks that <see cref="Take"/> can give.</summary>
    public int Available => Free + Cached;

    /// <summary>Most blocks in use at any time so far; cached ones are not in use.</summary>
    public int PeakUsed { get; private set; }

    /// <summary>Cached blocks that were taken for something else so far.</summary>
    public long Evictions { get; private set; }

    /// <summary>Blocks by what they hold, in use or cached.</summary>
    public PrefixIndex Index { get; }

    /// <summary>Block tables that list the block.</summary>
    public int References(int block) => _references[block];

    /// <summary>Takes a block and gives it one reference: a free one, or the cached one that was used longest ago. Throws when all are in use.</summary>
    public int Take()
    {
        int block = _free.First;
        if (block != BlockQueue.None)
        {
            _free.Remove(block);
        }
        else
        {
            block = _cached.First;
            if (block == BlockQueue.None) throw new InvalidOperationException($"All {Total} blocks are in use.");
            _cached.Remove(block);
            Index.Remove(block);
            Evictions++;
        }
        _references[block] = 1;
        CountUse();
        return block;
    }

    /// <summary>Adds a reference to a block in use, or to a cached one.</summary>
    public void Share(int block)
    {
        if (_references[block] == 0)
        {
            if (!Index.Contains(block)) throw new InvalidOperationException($"Block {block} is free and cannot be shared.");
            _cached.Remove(block);
        }
        _references[block]++;
        CountUse();
    }

    /// <summary>Takes one reference away; with the last one the block is cached, or free where the index does not know it.</summary>
    public void Return(int block)
    {
        if (_references[block] == 0) throw new InvalidOperationException($"Block {block} is already free.");
        if (--_references[block] > 0) return;
        if (Index.Contains(block)) _cached.Add(block);
        else _free.Add(block);
    }

    /// <summary>The block's content is not to be found any more: it will be written to, or cannot be trusted.</summary>
    public void Forget(int block)
    {
        if (!Index.Contains(block)) return;
        Index.Remove(block);
        if (_references[block] > 0) return;
        _cached.Remove(block);
        _free.Add(block);
    }

    private void CountUse() => PeakUsed = Math.Max(PeakUsed, Total - Available);

    /// <summary>Checks invariants 5, 6 and 9 of <see cref="KvAllocator"/> given how often each block stands in the tables.</summary>
    internal void Verify(int[] listed, int group)
    {
        Index.Verify(group);
        var seen = new bool[Total];
        int free = _free.Walk(seen, out int lastFree), cached = _cached.Walk(seen, out int lastCached), freeOnes = 0, cachedOnes = 0;
        for (int block = 0; block < Total; block++)
        {
            KvInvariantException.Require(5, _references[block] == listed[block], $"group {group}: block {block} has {_references[block]} references and stands in {listed[block]} tables");
            KvInvariantException.Require(6, seen[block] == (listed[block] == 0), $"group {group}: block {block} is {(seen[block] ? "in a queue" : "in no queue")} with {listed[block]} references");
            if (listed[block] > 0) continue;
            if (Index.Contains(block)) cachedOnes++;
            else freeOnes++;
        }
        KvInvariantException.Require(6, (free, freeOnes, lastFree) == (_free.Count, _free.Count, _free.Last),
            $"group {group}: the free queue holds {free} blocks, {freeOnes} have neither reference nor key, {_free.Count} are counted as free");
        KvInvariantException.Require(6, (cached, cachedOnes, lastCached) == (_cached.Count, _cached.Count, _cached.Last),
            $"group {group}: the cached queue holds {cached} blocks, {cachedOnes} have a key and no reference, {_cached.Count} are counted as cached");
    }
}
