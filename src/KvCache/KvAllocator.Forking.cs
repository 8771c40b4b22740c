namespace Inference.KvCache;

/// <summary>Two sequences with the same beginning: they share its blocks, and whoever writes first into the block in which they part gets a copy of it.</summary>
internal sealed partial class KvAllocator
{
    /// <summary>
    /// Gives an admitted sequence without tokens the first committed ones of another. Nothing is copied, unless a step in flight is about to write into the last block; false, with nothing
    /// changed, when no block is left for that copy.
    /// </summary>
    /// <param name="parent">Admitted; goes on as if nothing had happened.</param>
    /// <param name="child">Admitted and empty, with the root of the parent.</param>
    /// <param name="length">Tokens, at most those that the parent has committed; of a window that has moved on, not fewer than reach back to what it still has.</param>
    public bool TryFork(KvSequence parent, KvSequence child, int length)
    {
        CheckAdmitted(parent);
        CheckAdmitted(child);
        if (child.Reserved > 0) throw new InvalidOperationException($"Sequence {child.Id} has {child.Reserved} tokens already.");
        if (child.Root != parent.Root) throw new InvalidOperationException($"Sequences {parent.Id} and {child.Id} have different roots.");
        if (!CanTruncate(parent, length)) throw new ArgumentOutOfRangeException(nameof(length), length, $"Sequence {parent.Id} has {parent.Committed} tokens, and {length} of them cannot be forked.");
        for (int g = 0; g < _groups.Length; g++)
            if (IsWrittenNow(parent, length, g) && _pools[g].Available == 0) return false;

        for (int g = 0; g < _groups.Length && length > 0; g++)
        {
            BlockTable from = _tables[g][parent.TableSlot], to = _tables[g][child.TableSlot];
            to.StartAt(_groups[g].Kind.FirstPositionRead(length) / _groups[g].BlockSize);
            for (int i = to.First; i < _groups[g].BlocksFor(length); i++)
            {
                _pools[g].Share(from[i]);
                to.Append(from[i]);
            }
            if (IsWrittenNow(parent, length, g)) CopyEntry(to, to.End - 1, g);
        }
        child.Committed = child.Reserved = length;
        return true;
    }

    /// <summary>Whether a step in flight writes into the block that holds the last of the first <paramref name="length"/> tokens.</summary>
    private bool IsWrittenNow(KvSequence sequence, int length, int group)
    {
        int size = _groups[group].BlockSize;
        return length % size > 0 && sequence.Reserved > sequence.Committed && length / size == sequence.Committed / size;
    }

    /// <summary>Whether the next token goes into a block that others read.</summary>
    private bool NeedsCopy(KvSequence sequence, int group)
    {
        int size = _groups[group].BlockSize;
        return sequence.Committed % size > 0 && _pools[group].References(_tables[group][sequence.TableSlot][sequence.Committed / size]) > 1;
    }

    /// <summary>The block that the next token goes into is this sequence's own and no key leads to it.</summary>
    private void MakeWritable(KvSequence sequence, int group)
    {
        int size = _groups[group].BlockSize, last = sequence.Committed / size;
        if (sequence.Committed % size == 0) return;
        BlockTable table = _tables[group][sequence.TableSlot];
        if (NeedsCopy(sequence, group)) CopyEntry(table, last, group);
        else _pools[group].Forget(table[last]);
    }

    private void CopyEntry(BlockTable table, int index, int group)
    {
        int copy = _pools[group].Take(), original = table.Replace(index, copy);
        _operations[group].Add(new BlockOperation(BlockOperationKind.Copy, original, copy));
        _pools[group].Return(original);
        Copies++;
    }

    /// <summary>Blocks copied so far because two sequences parted in them.</summary>
    public long Copies { get; private set; }
}
