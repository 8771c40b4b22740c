namespace Inference.KvCache;

internal sealed partial class KvAllocator
{
    /// <summary>Whether one sequence of that many tokens fits when it has everything to itself.</summary>
    public bool Fits(int length) => length <= MaxLength && length <= Capacity;

    /// <summary>
    /// Blocks that a sequence, admitted or not, still lacks in a group to hold <paramref name="length"/> tokens. What an idle sequence holds counts
    /// among <see cref="AvailableBlocks"/> and not here.
    /// </summary>
    public int MissingBlocks(KvSequence sequence, int length, int group)
    {
        int held = sequence.IsAdmitted && !sequence.IsIdle ? _tables[group][sequence.TableSlot].End : 0;
        return Math.Max(0, _groups[group].BlocksFor(length) - held);
    }

    /// <summary>Blocks of a group that nobody holds.</summary>
    public int FreeBlocks(int group) => _pools[group].Free;

    /// <summary>Blocks of a group that nobody holds, or only idle sequences.</summary>
    public int AvailableBlocks(int group) => _pools[group].Free + _pools[group].Evictable;

    /// <summary>The largest count that <see cref="TryReserve"/> would grant now.</summary>
    public int Reservable(KvSequence sequence)
    {
        CheckActive(sequence);
        long room = MaxLength - sequence.Reserved;
        for (int g = 0; g < _groups.Length; g++)
        {
            long end = (long)(_tables[g][sequence.TableSlot].End + AvailableBlocks(g)) * _groups[g].BlockSize;
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
    public KvStatistics Statistics(int group) => new(_pools[group].Total, _pools[group].Free, _pools[group].Evictable, _pools[group].PeakUsed);

    /// <summary>Blocks of all groups together.</summary>
    public KvStatistics Statistics()
    {
        int total = 0, free = 0, evictable = 0, peak = 0;
        foreach (BlockPool pool in _pools)
        {
            total += pool.Total;
            free += pool.Free;
            evictable += pool.Evictable;
            peak += pool.PeakUsed;
        }
        return new KvStatistics(total, free, evictable, peak);
    }
}
