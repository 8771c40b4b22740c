namespace Inference.KvCache;

/// <summary>
/// The last block of a finished sequence is rarely full, and the next turn of a conversation goes on in it. It stays cached under a key of its own: whoever goes on with exactly
/// its tokens takes it over, alone, so that it may write the rest of it.
/// </summary>
internal sealed partial class KvAllocator
{
    /// <summary>Like <see cref="Release"/>, and keeps the block that is not full for who goes on with all of the committed tokens.</summary>
    public void Retire(KvSequence sequence, ReadOnlySpan<int> tokens)
    {
        if (sequence.IsSwapped)
        {
            Release(sequence);
            return;
        }
        CheckAdmitted(sequence);
        CutBack(sequence);
        int committed = sequence.Committed;
        if (sequence.Root is not null && KeepsTails && tokens.Length >= committed && committed % _prefixUnit > 0)
        {
            int full = committed / _prefixUnit;
            for (int g = 0; g < _groups.Length; g++)
            {
                int block = _tables[g][sequence.TableSlot][full];
                // A fork may still read it, or the index know it as a longer one's.
                if (_pools[g].References(block) == 1 && !_pools[g].Index.Contains(block))
                    _pools[g].Index.Add(Chain(sequence, g, tokens, full).KeyAfter(full, tokens[(full * _prefixUnit)..committed]), block);
            }
        }
        Release(sequence);
    }

    /// <summary>Tails must end at the same token in every group.</summary>
    private bool KeepsTails
    {
        get
        {
            foreach (CacheGroup group in _groups)
                if (group.BlockSize != _prefixUnit) return false;
            return true;
        }
    }

    /// <summary>Takes over the longest tail that follows the sequence's full blocks.</summary>
    private void AttachTail(KvSequence sequence, ReadOnlySpan<int> tokens, int limit)
    {
        if (sequence.Root is null || !KeepsTails) return;
        for (int end = Math.Min(limit, sequence.Committed + _prefixUnit - 1); end > sequence.Committed; end--)
        {
            bool everywhere = true;
            for (int g = 0; g < _groups.Length && everywhere; g++) everywhere = IsKnown(TailKey(sequence, tokens[..end], g), g);
            if (!everywhere) continue;
            for (int g = 0; g < _groups.Length; g++) TakeOver(sequence, tokens[..end], g);
            sequence.Committed = sequence.Reserved = end;
        }
    }

    private void TakeOver(KvSequence sequence, ReadOnlySpan<int> tokens, int group)
    {
        BlockPool pool = _pools[group];
        BlockTable table = _tables[group][sequence.TableSlot];
        pool.Index.TryFind(TailKey(sequence, tokens, group), out int block);
        pool.Share(block);
        pool.Forget(block);
        table.Append(block);
        int first = _groups[group].Kind.FirstPositionRead(tokens.Length) / _prefixUnit;
        while (table.First < first) pool.Return(table.DropFront());
    }

    /// <summary>Key of the tokens behind the sequence's full blocks.</summary>
    private PrefixKey TailKey(KvSequence sequence, ReadOnlySpan<int> tokens, int group) =>
        Chain(sequence, group, tokens, sequence.Committed / _prefixUnit).KeyAfter(sequence.Committed / _prefixUnit, tokens[sequence.Committed..]);
}
