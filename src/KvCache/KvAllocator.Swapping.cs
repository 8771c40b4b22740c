namespace Inference.KvCache;

/// <summary>Sequences whose blocks lie in the host's swap space until there is room again. Their tokens stay committed; what has to be moved is listed.</summary>
internal sealed partial class KvAllocator
{
    private readonly Stack<int>[] _freeSwap;
    private readonly int[] _swapBlocks;
    private readonly List<KvSequence> _swapped = [];

    /// <summary>Blocks of a group in the swap space that hold nothing.</summary>
    public int FreeSwapBlocks(int group) => _freeSwap[group].Count;

    /// <summary>Blocks moved out so far, and moved in again.</summary>
    public long SwappedOut { get; private set; }

    /// <inheritdoc cref="SwappedOut"/>
    public long SwappedIn { get; private set; }

    /// <summary>
    /// Moves a sequence out: it gives up table slot and blocks, what is reserved too, and keeps its committed tokens in the swap space. False, with nothing changed, when that is short or there is nothing to move.
    /// </summary>
    public bool TrySwapOut(KvSequence sequence)
    {
        CheckAdmitted(sequence);
        if (sequence.Committed == 0) return false;
        for (int g = 0; g < _groups.Length; g++)
            if (HeldBlocks(sequence, g) > _freeSwap[g].Count) return false;

        sequence.SwapBlocks ??= new int[_groups.Length][];
        for (int g = 0; g < _groups.Length; g++)
        {
            BlockTable table = _tables[g][sequence.TableSlot];
            var host = new int[HeldBlocks(sequence, g)];
            for (int i = 0; i < host.Length; i++)
            {
                host[i] = _freeSwap[g].Pop();
                _operations[g].Add(new BlockOperation(BlockOperationKind.SwapOut, table[table.First + i], host[i]));
            }
            sequence.SwapBlocks[g] = host;
            SwappedOut += host.Length;
        }
        int committed = sequence.Committed;
        Release(sequence);
        sequence.Committed = sequence.Reserved = committed;
        sequence.IsSwapped = true;
        _swapped.Add(sequence);
        return true;
    }

    /// <summary>
    /// Admits a sequence that was moved out, with all it had. Blocks that are known are shared instead of moved. False, with nothing changed, when a table slot or blocks are short.
    /// </summary>
    /// <param name="sequence">Moved out.</param>
    /// <param name="tokens">Its tokens.</param>
    public bool TrySwapIn(KvSequence sequence, ReadOnlySpan<int> tokens)
    {
        CheckSwapped(sequence);
        for (int g = 0; g < _groups.Length; g++)
            if (SwapInBlocks(sequence, tokens, sequence.Committed, g) > _pools[g].Available) return false;
        if (!TryAdmit(sequence)) return false;
        for (int g = 0; g < _groups.Length; g++)
        {
            BlockTable table = _tables[g][sequence.TableSlot];
            table.StartAt(_groups[g].Kind.FirstPositionRead(sequence.Committed) / _groups[g].BlockSize);
            int[] host = sequence.SwapBlocks![g];
            // First all that is found, or it might be taken for what is not.
            for (int i = 0; i < host.Length; i++) table.Append(TryFindBlock(sequence, tokens, table.First + i, g, out int block) ? Shared(block, g) : BlockQueue.None);
            for (int i = 0; i < host.Length; i++)
                if (table[table.First + i] == BlockQueue.None) MoveIn(sequence, tokens, table.First + i, host[i], g);
            foreach (int block in host) _freeSwap[g].Push(block);
        }
        sequence.IsSwapped = false;
        _swapped.Remove(sequence);
        return true;
    }

    private int Shared(int block, int group)
    {
        _pools[group].Share(block);
        return block;
    }

    private void MoveIn(KvSequence sequence, ReadOnlySpan<int> tokens, int index, int host, int group)
    {
        int block = _pools[group].Take();
        _tables[group][sequence.TableSlot].Replace(index, block);
        _operations[group].Add(new BlockOperation(BlockOperationKind.SwapIn, host, block));
        if (IsFindable(sequence, index, group)) _pools[group].Index.Add(Key(sequence, tokens, index, group), block);
        SwappedIn++;
    }

    /// <summary>Blocks of a group that a sequence which was moved out takes from <see cref="AvailableBlocks"/> to hold <paramref name="length"/> tokens: all but those that are found in use.</summary>
    public int SwapInBlocks(KvSequence sequence, ReadOnlySpan<int> tokens, int length, int group)
    {
        CheckSwapped(sequence);
        int first = _groups[group].Kind.FirstPositionRead(sequence.Committed) / _groups[group].BlockSize, shared = 0;
        for (int i = 0; i < sequence.SwapBlocks![group].Length; i++)
            if (TryFindBlock(sequence, tokens, first + i, group, out int block) && _pools[group].References(block) > 0) shared++;
        return _groups[group].BlocksFor(length) - first - shared;
    }

    private bool TryFindBlock(KvSequence sequence, ReadOnlySpan<int> tokens, int index, int group, out int block)
    {
        block = BlockQueue.None;
        return IsFindable(sequence, index, group) && _pools[group].Index.TryFind(Key(sequence, tokens, index, group), out block);
    }

    private bool IsFindable(KvSequence sequence, int index, int group) => sequence.Root is not null && index < sequence.Committed / _groups[group].BlockSize;

    /// <summary>Tokens of an admitted sequence that stay in memory when it goes: they lie in blocks of the first group that others hold too.</summary>
    public int SharedTokens(KvSequence sequence) => (int)Math.Min(sequence.Committed, (long)SharedBlocks(sequence, 0) * _groups[0].BlockSize);

    /// <summary>Blocks of an admitted sequence that others hold too.</summary>
    public int SharedBlocks(KvSequence sequence, int group)
    {
        BlockTable table = Table(sequence, group);
        int shared = 0;
        for (int i = table.First; i < table.End; i++) shared += _pools[group].References(table[i]) > 1 ? 1 : 0;
        return shared;
    }

    /// <summary>Committed blocks in the table of an admitted sequence.</summary>
    private int HeldBlocks(KvSequence sequence, int group) => _groups[group].BlocksFor(sequence.Committed) - _tables[group][sequence.TableSlot].First;

    private void DropSwapped(KvSequence sequence)
    {
        for (int g = 0; g < _groups.Length; g++)
            foreach (int block in sequence.SwapBlocks![g]) _freeSwap[g].Push(block);
        sequence.Committed = sequence.Reserved = 0;
        sequence.IsSwapped = false;
        _swapped.Remove(sequence);
    }

    private static void CheckSwapped(KvSequence sequence)
    {
        if (!sequence.IsSwapped) throw new InvalidOperationException($"Sequence {sequence.Id} is not swapped out.");
    }

    private void VerifySwapped()
    {
        for (int g = 0; g < _groups.Length; g++)
        {
            var listed = new int[_swapBlocks[g]];
            foreach (int block in _freeSwap[g]) listed[block]++;
            foreach (KvSequence sequence in _swapped)
            {
                KvInvariantException.Require(11, sequence.IsSwapped && !sequence.IsAdmitted && sequence.Committed > 0 && sequence.Reserved == sequence.Committed,
                    $"sequence {sequence.Id} is listed as moved out with slot {sequence.TableSlot}, {sequence.Committed} tokens committed and {sequence.Reserved} reserved");
                int first = _groups[g].Kind.FirstPositionRead(sequence.Committed) / _groups[g].BlockSize;
                KvInvariantException.Require(11, sequence.SwapBlocks![g].Length == _groups[g].BlocksFor(sequence.Committed) - first,
                    $"group {g}: sequence {sequence.Id} has {sequence.SwapBlocks[g].Length} blocks in the swap space for {sequence.Committed} tokens");
                foreach (int block in sequence.SwapBlocks[g]) listed[block]++;
            }
            for (int block = 0; block < listed.Length; block++)
                KvInvariantException.Require(11, listed[block] == 1, $"group {g}: block {block} of the swap space is held {listed[block]} times");
        }
    }
}
