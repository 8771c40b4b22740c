namespace Inference.KvCache;

/// <summary>Blocks that hold the beginning of another sequence: found by their keys, shared while they are full, never written to.</summary>
internal sealed partial class KvAllocator
{
    // A hit ends where a block ends in every group.
    private readonly int _prefixUnit;

    private int PrefixUnit()
    {
        long unit = 1;
        foreach (CacheGroup group in _groups)
        {
            long a = unit, b = group.BlockSize;
            while (b != 0) (a, b) = (b, a % b);
            unit = unit / a * group.BlockSize;
            if (unit > MaxLength) break; // no sequence has a whole one
        }
        return (int)Math.Min(unit, int.MaxValue);
    }

    /// <summary>Whether a block of sequences with that key is in use or cached.</summary>
    public bool IsKnown(PrefixKey key, int group) => _pools[group].Index.TryFind(key, out _);

    /// <summary>Key of a full block of the sequence; its tokens must be known up to there.</summary>
    public PrefixKey Key(KvSequence sequence, ReadOnlySpan<int> tokens, int block, int group) => Chain(sequence, group, tokens, block + 1)[block];

    /// <summary>
    /// Tokens that the sequence would find computed: whole blocks in every group, as far as each of its kind reads back from there. It is the same until a block is taken, or indexed.
    /// </summary>
    /// <param name="sequence">With a root; without one it finds nothing.</param>
    /// <param name="tokens">Its tokens.</param>
    /// <param name="limit">Tokens to find at most, not more than there are: the last one of a prompt has to be computed, since its logits are wanted.</param>
    public int FindPrefix(KvSequence sequence, ReadOnlySpan<int> tokens, int limit)
    {
        if (sequence.Root is null) return 0;
        int length = limit / _prefixUnit * _prefixUnit, checkedLength = -1;
        while (length > 0 && length != checkedLength)
        {
            checkedLength = length;
            for (int g = 0; g < _groups.Length; g++) length = FirstGap(sequence, tokens, length, g) / _prefixUnit * _prefixUnit;
        }
        return length;
    }

    /// <summary>Position of the first block that is read from <paramref name="length"/> on and is not known; the length where all are. No longer prefix can do without that block.</summary>
    private int FirstGap(KvSequence sequence, ReadOnlySpan<int> tokens, int length, int group)
    {
        int size = _groups[group].BlockSize, end = length / size;
        for (int i = _groups[group].Kind.FirstPositionRead(length) / size; i < end; i++)
            // The keys are made as they are needed: most prompts part from all others early.
            if (!_pools[group].Index.TryFind(Chain(sequence, group, tokens, i + 1)[i], out _)) return i * size;
        return length;
    }

    /// <summary>
    /// Gives an admitted sequence without tokens what <see cref="FindPrefix"/> finds, and where it goes on as a finished one did the last block of that one too, although it is not full.
    /// Returns the tokens, which are committed now.
    /// </summary>
    public int AttachPrefix(KvSequence sequence, ReadOnlySpan<int> tokens, int limit)
    {
        CheckAdmitted(sequence);
        if (sequence.Reserved > 0) throw new InvalidOperationException($"Sequence {sequence.Id} has {sequence.Reserved} tokens already.");
        int length = FindPrefix(sequence, tokens, limit);
        for (int g = 0; g < _groups.Length && length > 0; g++)
        {
            BlockTable table = _tables[g][sequence.TableSlot];
            table.StartAt(_groups[g].Kind.FirstPositionRead(length) / _groups[g].BlockSize);
            for (int i = table.First; i < length / _groups[g].BlockSize; i++)
            {
                _pools[g].Index.TryFind(sequence.Chains![g][i], out int block);
                _pools[g].Share(block);
                table.Append(block);
            }
        }
        sequence.Committed = sequence.Reserved = length;
        AttachTail(sequence, tokens, limit);
        return sequence.Committed;
    }

    /// <summary>
    /// Blocks of a group that a sequence which is not admitted takes from <see cref="AvailableBlocks"/> to hold <paramref name="length"/> tokens, when it begins with a prefix of
    /// <paramref name="found"/> tokens: all but those of the prefix that are in use.
    /// </summary>
    public int NewcomerBlocks(KvSequence sequence, int found, int length, int group)
    {
        int size = _groups[group].BlockSize, first = _groups[group].Kind.FirstPositionRead(found) / size, shared = 0;
        for (int i = first; i < found / size; i++)
            if (_pools[group].Index.TryFind(sequence.Chains![group][i], out int block) && _pools[group].References(block) > 0) shared++;
        return _groups[group].BlocksFor(length) - first - shared;
    }

    /// <summary>What the sequence's blocks hold cannot be trusted: nobody finds them any more.</summary>
    public void Forget(KvSequence sequence)
    {
        CheckAdmitted(sequence);
        for (int g = 0; g < _groups.Length; g++)
        {
            BlockTable table = _tables[g][sequence.TableSlot];
            for (int i = table.First; i < table.End; i++) _pools[g].Forget(table[i]);
        }
    }

    /// <summary>Enters the blocks that have become full with the tokens since <paramref name="before"/>.</summary>
    private void IndexBlocks(KvSequence sequence, int before, ReadOnlySpan<int> tokens, int group)
    {
        if (sequence.Root is null) return;
        int size = _groups[group].BlockSize, end = sequence.Committed / size;
        if (end == before / size) return;
        PrefixChain chain = Chain(sequence, group, tokens, end);
        BlockTable table = _tables[group][sequence.TableSlot];
        for (int i = Math.Max(before / size, table.First); i < end; i++) _pools[group].Index.Add(chain[i], table[i]);
    }

    private PrefixChain Chain(KvSequence sequence, int group, ReadOnlySpan<int> tokens, int blocks)
    {
        if (sequence.Chains is null)
        {
            sequence.Chains = new PrefixChain[_groups.Length];
            for (int g = 0; g < _groups.Length; g++)
            {
                sequence.Chains[g] = new PrefixChain(sequence.Root!.Value, _groups[g].BlockSize);
                // Room for what a usual request generates, so that decoding does not allocate.
                sequence.Chains[g].Reserve(_groups[g].BlocksFor((int)Math.Min(MaxLength, tokens.Length + 1024L)));
            }
        }
        PrefixChain chain = sequence.Chains[group];
        chain.Extend(tokens, blocks);
        return chain;
    }
}
