namespace Inference.KvCache;

/// <summary>
/// Sequences that nobody computes at the moment and that may go on: they keep slot and blocks until somebody needs either. An idle sequence
/// never stands in the way; whoever asks for a slot or a block gets those of the sequence that was parked longest ago.
/// </summary>
internal sealed partial class KvAllocator
{
    private readonly LinkedList<KvSequence> _idle = [];

    /// <summary>Idle sequences.</summary>
    public int IdleCount => _idle.Count;

    /// <summary>Idle sequences that lost their blocks to others so far.</summary>
    public long Evictions { get; private set; }

    /// <summary>Makes the sequence idle with its committed tokens; what is reserved is returned. One without tokens is released.</summary>
    public void Park(KvSequence sequence)
    {
        CheckActive(sequence);
        CutBack(sequence);
        if (sequence.Committed == 0)
        {
            Release(sequence);
            return;
        }
        for (int g = 0; g < _groups.Length; g++)
        {
            BlockTable table = _tables[g][sequence.TableSlot];
            for (int index = table.First; index < table.End; index++) _pools[g].Park(table[index]);
        }
        sequence.IdleNode ??= new LinkedListNode<KvSequence>(sequence);
        _idle.AddLast(sequence.IdleNode);
    }

    /// <summary>The idle sequence goes on from its committed tokens: slot, blocks and device tables are as they were.</summary>
    public void Resume(KvSequence sequence)
    {
        CheckAdmitted(sequence);
        if (!sequence.IsIdle) throw new InvalidOperationException($"Sequence {sequence.Id} is not idle.");
        _idle.Remove(sequence.IdleNode!);
        for (int g = 0; g < _groups.Length; g++)
        {
            BlockTable table = _tables[g][sequence.TableSlot];
            for (int index = table.First; index < table.End; index++) _pools[g].Wake(table[index]);
        }
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

    /// <summary>Releases the idle sequence that was parked longest ago; false when there is none.</summary>
    private bool TryEvict()
    {
        if (_idle.First is not { } oldest) return false;
        Release(oldest.Value);
        Evictions++;
        return true;
    }
}
