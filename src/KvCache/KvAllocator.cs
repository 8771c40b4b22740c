namespace Inference.KvCache;

/// <summary>
/// Decides which block of every cache group belongs to which sequence. Only bookkeeping in ints: nothing here touches the memory, and what has to be
/// moved is listed as <see cref="BlockOperation"/>. Not thread-safe; the engine's thread owns it.
/// </summary>
/// <remarks>
/// One sequence in one group, block size 4, after Commit to 9 and TryReserve of 4 more:
/// <code>
/// position   0       4       8 9         13     16
///            |-------|-------|-|----------|------|
///            |     cached      | reserved | free |    "free" is the unused tail of the last block
///            |-------|-------|------|------------|
/// entry          0       1          2 3               3 = FirstNew .. End = 4 is new to the device
///            First                               End * block size
/// </code>
/// The blocks of a group, and what moves them:
/// <code>
///              TryReserve, copy               last Return, no key
///    free ------------------------> in use ------------------------> free
///                  Share      ^    |  ^  | last Return, with a key
///                             |    +--+  v
///                             +------- cached ----- Take ---> in use, for something else
/// </code>
/// Invariants, for every admitted sequence and every group:
/// <list type="number">
/// <item>0 &lt;= Committed &lt;= Reserved &lt;= MaxLength.</item>
/// <item>A table ends where Reserved does: End = ceil(Reserved / BlockSize).</item>
/// <item>A table starts where reading does: First = FirstPositionRead(Committed) / BlockSize.</item>
/// <item>First &lt;= FirstNew &lt;= ceil(Committed / BlockSize), and every entry names a block of the pool.</item>
/// <item>A block's references are the entries that name it, over all tables of the group.</item>
/// <item>Every block without references stands once in one queue: that of cached blocks with a key, that of free blocks without.</item>
/// <item>Blocks that positions from Committed on are written to have one reference and no key: nobody writes into a shared block.</item>
/// <item>Every table slot is free or belongs to exactly one admitted sequence, which knows it; tables of free slots are empty.</item>
/// <item>A key leads to the one block that has it.</item>
/// <item>A full block with a key stands only where the sequence's chain has that key.</item>
/// <item>Every block of the swap space is free or belongs to one sequence that is moved out, which has one for each block that it reads.</item>
/// </list>
/// </remarks>
internal sealed partial class KvAllocator
{
    private readonly CacheGroup[] _groups;
    private readonly BlockPool[] _pools;
    private readonly BlockTable[][] _tables;
    private readonly List<BlockOperation>[] _operations;
    private readonly KvSequence?[] _admitted;
    private readonly Stack<int> _freeSlots;

    /// <param name="groups">At least one cache group.</param>
    /// <param name="maxSequences">Table slots: sequences that may hold blocks at the same time.</param>
    /// <param name="maxLength">Tokens of the longest sequence, usually the model's context.</param>
    /// <param name="swapBlocks">Blocks of each group in the host's swap space; null: it has none.</param>
    public KvAllocator(IReadOnlyList<CacheGroup> groups, int maxSequences, int maxLength, IReadOnlyList<int>? swapBlocks = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(groups.Count, nameof(groups));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxSequences);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxLength);
        _groups = [.. groups];
        MaxSequences = maxSequences;
        MaxLength = maxLength;
        _pools = new BlockPool[_groups.Length];
        _tables = new BlockTable[_groups.Length][];
        _operations = new List<BlockOperation>[_groups.Length];
        _swapBlocks = swapBlocks is null ? new int[_groups.Length] : [.. swapBlocks];
        ArgumentOutOfRangeException.ThrowIfNotEqual(_swapBlocks.Length, _groups.Length, nameof(swapBlocks));
        _freeSwap = new Stack<int>[_groups.Length];
        Capacity = int.MaxValue;
        for (int g = 0; g < _groups.Length; g++)
        {
            _groups[g].Check();
            _pools[g] = new BlockPool(_groups[g].Blocks);
            _tables[g] = new BlockTable[maxSequences];
            for (int slot = 0; slot < maxSequences; slot++) _tables[g][slot] = new BlockTable(_groups[g].TableEntries(maxLength));
            _operations[g] = [];
            _freeSwap[g] = new Stack<int>(_swapBlocks[g]);
            for (int block = _swapBlocks[g] - 1; block >= 0; block--) _freeSwap[g].Push(block);
            Capacity = Math.Min(Capacity, _groups[g].Capacity);
        }
        _prefixUnit = PrefixUnit();
        _admitted = new KvSequence?[maxSequences];
        _freeSlots = new Stack<int>(maxSequences);
        for (int slot = maxSequences - 1; slot >= 0; slot--) _freeSlots.Push(slot);
    }

    public IReadOnlyList<CacheGroup> Groups => _groups;

    /// <summary>Table slots.</summary>
    public int MaxSequences { get; }

    /// <summary>Tokens of the longest sequence.</summary>
    public int MaxLength { get; }

    /// <summary>Tokens that one sequence can hold when it has every pool to itself.</summary>
    public int Capacity { get; }

    /// <summary>Table slots that no sequence holds.</summary>
    public int FreeSlots => _freeSlots.Count;

    /// <summary>Block table of an admitted sequence.</summary>
    public BlockTable Table(KvSequence sequence, int group)
    {
        CheckAdmitted(sequence);
        return _tables[group][sequence.TableSlot];
    }

    /// <summary>Gives the sequence a table slot and empty tables; false when no slot is free.</summary>
    public bool TryAdmit(KvSequence sequence)
    {
        if (sequence.IsAdmitted) throw new InvalidOperationException($"Sequence {sequence.Id} is already admitted in slot {sequence.TableSlot}.");
        if (!_freeSlots.TryPop(out int slot)) return false;
        sequence.TableSlot = slot;
        _admitted[slot] = sequence;
        return true;
    }

    /// <summary>
    /// Reserves slots for <paramref name="count"/> more tokens in every group; false, with nothing changed, when blocks are short. Cached blocks are taken where free ones do not do.
    /// The slots of the new positions are then at <see cref="CopySlots"/>, the table entries that are new at <see cref="BlockTable.FirstNew"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The count is negative, or the sequence would outgrow <see cref="MaxLength"/>.</exception>
    public bool TryReserve(KvSequence sequence, int count)
    {
        CheckAdmitted(sequence);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (count > MaxLength - sequence.Reserved)
            throw new ArgumentOutOfRangeException(nameof(count), count, $"Sequence {sequence.Id} has {sequence.Reserved} tokens of at most {MaxLength}.");
        if (count == 0) return true;
        int length = sequence.Reserved + count;
        for (int g = 0; g < _groups.Length; g++)
            if (MissingBlocks(sequence, length, g) > _pools[g].Available) return false;

        for (int g = 0; g < _groups.Length; g++)
        {
            MakeWritable(sequence, g);
            BlockTable table = _tables[g][sequence.TableSlot];
            int end = _groups[g].BlocksFor(length);
            while (table.End < end) table.Append(_pools[g].Take());
        }
        sequence.Reserved = length;
        return true;
    }

    /// <summary>
    /// The step is over: the first <paramref name="count"/> reserved positions hold tokens, the blocks of the rest are returned, and so are blocks
    /// that no later query reads.
    /// </summary>
    /// <param name="sequence">An admitted sequence.</param>
    /// <param name="count">Positions, at most those reserved.</param>
    /// <param name="tokens">The sequence's tokens from position 0 on, by which its full blocks are found; fewer than are committed: none of them is.</param>
    public void Commit(KvSequence sequence, int count, ReadOnlySpan<int> tokens = default)
    {
        CheckAdmitted(sequence);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, sequence.Reserved - sequence.Committed);
        int before = sequence.Committed;
        sequence.Committed += count;
        CutBack(sequence);
        for (int g = 0; g < _groups.Length; g++)
        {
            BlockTable table = _tables[g][sequence.TableSlot];
            if (tokens.Length >= sequence.Committed) IndexBlocks(sequence, before, tokens, g);
            int first = _groups[g].Kind.FirstPositionRead(sequence.Committed) / _groups[g].BlockSize;
            while (table.First < first) _pools[g].Return(table.DropFront());
            table.MarkKnown();
        }
    }

    /// <summary>The step has not run: what is reserved is returned, and what the device was to hear of the tables it will hear again.</summary>
    public void Rollback(KvSequence sequence)
    {
        CheckAdmitted(sequence);
        CutBack(sequence);
    }

    /// <summary>Forgets the tokens from <paramref name="length"/> on, and whatever is reserved.</summary>
    /// <exception cref="ArgumentOutOfRangeException">More is asked for than is committed, or blocks that the shorter sequence reads were dropped.</exception>
    public void Truncate(KvSequence sequence, int length)
    {
        CheckAdmitted(sequence);
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, sequence.Committed);
        for (int g = 0; g < _groups.Length; g++)
        {
            if (!Reaches(sequence, length, g))
                throw new ArgumentOutOfRangeException(nameof(length), length, $"Sequence {sequence.Id} has dropped positions before {_tables[g][sequence.TableSlot].First * _groups[g].BlockSize} in group {g}.");
        }
        for (int g = 0; g < _groups.Length; g++) sequence.Chains?[g].Cut(length / _groups[g].BlockSize);
        CutTo(sequence, length);
    }

    /// <summary>Whether the sequence can be cut back to that length: nothing that the shorter sequence reads has been dropped.</summary>
    public bool CanTruncate(KvSequence sequence, int length)
    {
        CheckAdmitted(sequence);
        if (length < 0 || length > sequence.Committed) return false;
        for (int g = 0; g < _groups.Length; g++)
            if (!Reaches(sequence, length, g)) return false;
        return true;
    }

    private bool Reaches(KvSequence sequence, int length, int group) =>
        length == 0 || _tables[group][sequence.TableSlot].First * _groups[group].BlockSize <= _groups[group].Kind.FirstPositionRead(length);

    /// <summary>Gives up every block and the table slot, or what it has in the swap space. Full blocks that the index knows stay cached until they are needed.</summary>
    public void Release(KvSequence sequence)
    {
        if (sequence.IsSwapped)
        {
            DropSwapped(sequence);
            return;
        }
        CheckAdmitted(sequence);
        CutTo(sequence, 0);
        _admitted[sequence.TableSlot] = null;
        _freeSlots.Push(sequence.TableSlot);
        sequence.TableSlot = KvSequence.NoSlot;
    }

    private void CutTo(KvSequence sequence, int length)
    {
        sequence.Committed = length;
        CutBack(sequence);
        if (length > 0) return;
        for (int g = 0; g < _groups.Length; g++) _tables[g][sequence.TableSlot].Reset();
    }

    /// <summary>Returns the blocks past the committed length, the last first: among cached blocks a prefix outlives what follows it.</summary>
    private void CutBack(KvSequence sequence)
    {
        sequence.Reserved = sequence.Committed;
        for (int g = 0; g < _groups.Length; g++)
        {
            BlockTable table = _tables[g][sequence.TableSlot];
            int end = Math.Max(_groups[g].BlocksFor(sequence.Committed), sequence.Committed == 0 ? table.First : 0);
            while (table.End > end) _pools[g].Return(table.DropBack());
        }
    }

    private void CheckAdmitted(KvSequence sequence)
    {
        if (!sequence.IsAdmitted || _admitted[sequence.TableSlot] != sequence)
            throw new InvalidOperationException($"Sequence {sequence.Id} is not admitted.");
    }
}
