using System.Runtime.InteropServices;

namespace Inference.KvCache;

internal sealed partial class KvAllocator
{
    /// <summary>Whether one sequence of that many tokens fits when it has everything to itself.</summary>
    public bool Fits(int length) => length <= MaxLength && length <= Capacity;

    /// <summary>Blocks that a sequence, admitted or not, still lacks in a group to hold <paramref name="length"/> tokens, a copy of a shared one included.</summary>
    public int MissingBlocks(KvSequence sequence, int length, int group)
    {
        if (!sequence.IsAdmitted) return _groups[group].BlocksFor(length);
        int copy = length > sequence.Reserved && NeedsCopy(sequence, group) ? 1 : 0;
        return copy + Math.Max(0, _groups[group].BlocksFor(length) - _tables[group][sequence.TableSlot].End);
    }

    /// <summary>Blocks of a group that no sequence holds, cached ones included.</summary>
    public int AvailableBlocks(int group) => _pools[group].Available;

    /// <summary>What has to be moved before the next step writes, in order.</summary>
    public ReadOnlySpan<BlockOperation> Operations(int group) => CollectionsMarshal.AsSpan(_operations[group]);

    /// <summary>All that is listed has been done. Until then the list only grows.</summary>
    public void ClearOperations()
    {
        foreach (List<BlockOperation> operations in _operations) operations.Clear();
    }

    /// <summary>What is listed will not be done, and nobody finds the blocks that it was to fill. Sequences that hold them must be released.</summary>
    public void DropOperations()
    {
        for (int g = 0; g < _groups.Length; g++)
            foreach (BlockOperation operation in _operations[g])
                if (operation.Kind != BlockOperationKind.SwapOut) _pools[g].Forget(operation.To);
        ClearOperations();
    }

    /// <summary>The largest count that <see cref="TryReserve"/> would grant now.</summary>
    public int Reservable(KvSequence sequence)
    {
        CheckAdmitted(sequence);
        long room = MaxLength - sequence.Reserved;
        for (int g = 0; g < _groups.Length; g++)
        {
            int blocks = AvailableBlocks(g) - (NeedsCopy(sequence, g) ? 1 : 0);
            if (blocks < 0) return 0;
            long end = (long)(_tables[g][sequence.TableSlot].End + blocks) * _groups[g].BlockSize;
            room = Math.Min(room, end - sequence.Reserved);
        }
        return (int)room;
    }

    /// <summary>
    /// Slots (block * block size + offset) in one group of the positions from <paramref name="start"/> on, as many as
    /// <paramref name="slots"/> has room for. The positions must be held: those of a reservation start at <see cref="KvSequence.Committed"/>.
    /// </summary>
    public void CopySlots(KvSequence sequence, int group, int start, Span<int> slots)
    {
        BlockTable table = Table(sequence, group);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)start + slots.Length, sequence.Reserved, nameof(slots));
        int size = _groups[group].BlockSize;
        for (int i = 0; i < slots.Length;)
        {
            int offset = (start + i) % size;
            int slot = table[(start + i) / size] * size + offset;
            for (int run = Math.Min(size - offset, slots.Length - i); run > 0; run--) slots[i++] = slot++;
        }
    }

    /// <summary>Blocks of one group.</summary>
    public KvStatistics Statistics(int group) => new(_pools[group].Total, _pools[group].Free, _pools[group].Cached, _pools[group].PeakUsed);

    /// <summary>Cached blocks of all groups that were taken for something else so far.</summary>
    public long Evictions
    {
        get
        {
            long evictions = 0;
            foreach (BlockPool pool in _pools) evictions += pool.Evictions;
            return evictions;
        }
    }

    /// <summary>Blocks of all groups together.</summary>
    public KvStatistics Statistics()
    {
        int total = 0, free = 0, cached = 0, peak = 0;
        foreach (BlockPool pool in _pools)
        {
            total += pool.Total;
            free += pool.Free;
            cached += pool.Cached;
            peak += pool.PeakUsed;
        }
        return new KvStatistics(total, free, cached, peak);
    }
}
