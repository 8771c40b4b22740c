namespace Inference.KvCache;

/// <summary>
/// The blocks of one cache group: a reference count each, how many of the references are those of idle sequences, and the free ones in a queue
/// in eviction order. The block that has been free longest is taken first, so what was freed last keeps its content longest.
/// </summary>
internal sealed class BlockPool
{
    private const int None = -1;

    private readonly int[] _references;
    private readonly int[] _idleReferences;
    private readonly int[] _nextFree;
    private int _firstFree;
    private int _lastFree;

    public BlockPool(int blocks)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blocks);
        _references = new int[blocks];
        _idleReferences = new int[blocks];
        _nextFree = new int[blocks];
        for (int block = 0; block < blocks; block++) _nextFree[block] = block + 1 < blocks ? block + 1 : None;
        _lastFree = blocks - 1;
        Free = blocks;
    }

    /// <summary>All blocks.</summary>
    public int Total => _references.Length;

    /// <summary>Blocks that nobody refers to.</summary>
    public int Free { get; private set; }

    /// <summary>Blocks in use that only idle sequences refer to: they are free once those are evicted.</summary>
    public int Evictable { get; private set; }

    /// <summary>Most blocks in use at any time so far, those of idle sequences included.</summary>
    public int PeakUsed { get; private set; }

    /// <summary>Block tables that list the block.</summary>
    public int References(int block) => _references[block];

    /// <summary>Takes the block that has been free longest and gives it one reference. Throws when none is free.</summary>
    public int Take()
    {
        if (Free == 0) throw new InvalidOperationException($"All {Total} blocks are in use.");
        int block = _firstFree;
        _firstFree = _nextFree[block];
        if (_firstFree == None) _lastFree = None;
        _references[block] = 1;
        Free--;
        PeakUsed = Math.Max(PeakUsed, Total - Free);
        return block;
    }

    /// <summary>Adds a reference to a block in use.</summary>
    public void Share(int block)
    {
        if (_references[block] == 0) throw new InvalidOperationException($"Block {block} is free and cannot be shared.");
        if (_idleReferences[block] == _references[block]) Evictable--;
        _references[block]++;
    }

    /// <summary>The sequence behind one of the block's references becomes idle.</summary>
    public void Park(int block)
    {
        if (_idleReferences[block] == _references[block]) throw new InvalidOperationException($"Block {block} has {_references[block]} references, all of them idle.");
        if (++_idleReferences[block] == _references[block]) Evictable++;
    }

    /// <summary>The sequence behind one of the block's idle references is idle no more.</summary>
    public void Wake(int block)
    {
        if (_idleReferences[block] == 0) throw new InvalidOperationException($"Block {block} has no idle reference.");
        if (_idleReferences[block]-- == _references[block]) Evictable--;
    }

    /// <summary>Takes one reference away, not an idle one; with the last one the block goes to the end of the free queue.</summary>
    public void Return(int block)
    {
        if (_references[block] == _idleReferences[block]) throw new InvalidOperationException($"Block {block} is already free, or idle.");
        if (--_references[block] > 0)
        {
            if (_references[block] == _idleReferences[block]) Evictable++;
            return;
        }
        _nextFree[block] = None;
        if (_lastFree == None) _firstFree = block;
        else _nextFree[_lastFree] = block;
        _lastFree = block;
        Free++;
    }

    /// <summary>Checks invariants 5, 6 and 10 of <see cref="KvAllocator"/> given how often each block stands in the tables, and in those of idle sequences.</summary>
    internal void Verify(int[] listed, int[] idle, int group)
    {
        int evictable = 0;
        for (int block = 0; block < Total; block++)
        {
            KvInvariantException.Require(5, _references[block] == listed[block], $"group {group}: block {block} has {_references[block]} references and stands in {listed[block]} tables");
            KvInvariantException.Require(10, _idleReferences[block] == idle[block], $"group {group}: block {block} has {_idleReferences[block]} idle references and stands in {idle[block]} idle tables");
            if (listed[block] > 0 && listed[block] == idle[block]) evictable++;
        }
        KvInvariantException.Require(10, Evictable == evictable, $"group {group}: {evictable} blocks are held by idle sequences only, {Evictable} are counted");

        int count = 0, last = None;
        for (int block = Free == 0 ? None : _firstFree; block != None && count <= Total; block = _nextFree[block])
        {
            KvInvariantException.Require(6, _references[block] == 0, $"group {group}: block {block} is in the free queue with {_references[block]} references");
            count++;
            last = block;
        }
        int unreferenced = 0;
        foreach (int references in _references) unreferenced += references == 0 ? 1 : 0;
        // A walk of exactly Free steps over distinct unreferenced blocks visits each once; a cycle would have run past Total.
        KvInvariantException.Require(6, count == Free && unreferenced == Free && last == _lastFree,
            $"group {group}: the free queue holds {count} blocks, {unreferenced} have no reference, {Free} are counted as free");
    }
}
