namespace Inference.KvCache.Tests;

public class KvAllocatorTests
{
    private static KvAllocator Full(int blockSize, int blocks, int maxSequences = 4, int maxLength = 1000) =>
        new([new CacheGroup(1, CacheKind.Full, blockSize, blocks)], maxSequences, maxLength);

    private static KvSequence Admit(KvAllocator kv, long id = 0)
    {
        var sequence = new KvSequence(id);
        Assert.True(kv.TryAdmit(sequence));
        return sequence;
    }

    private static int[] Slots(KvAllocator kv, KvSequence sequence, int group = 0)
    {
        var slots = new int[sequence.Reserved - sequence.Committed];
        kv.CopySlots(sequence, group, sequence.Committed, slots);
        return slots;
    }

    private static (int Index, int Block)[] New(KvAllocator kv, KvSequence sequence, int group = 0)
    {
        BlockTable table = kv.Table(sequence, group);
        return [.. Enumerable.Range(table.FirstNew, table.End - table.FirstNew).Select(i => (i, table[i]))];
    }

    [Fact]
    public void Reserves_slots_and_tells_new_entries()
    {
        KvAllocator kv = Full(4, 8);
        KvSequence a = Admit(kv), b = Admit(kv, 1);
        Assert.True(kv.TryReserve(a, 5));
        Assert.Equal([0, 1, 2, 3, 4], Slots(kv, a));
        Assert.Equal([(0, 0), (1, 1)], New(kv, a));
        Assert.True(kv.TryReserve(b, 1));
        Assert.Equal([8], Slots(kv, b));
        kv.Commit(a, 5);
        Assert.Empty(New(kv, a));
        Assert.True(kv.TryReserve(a, 4));
        Assert.Equal([5, 6, 7, 12], Slots(kv, a));
        Assert.Equal([(2, 3)], New(kv, a));
        kv.Verify();
    }

    [Fact]
    public void Reserves_all_or_nothing_over_all_groups()
    {
        var kv = new KvAllocator([new CacheGroup(1, CacheKind.Full, 2, 10), new CacheGroup(1, CacheKind.Full, 4, 2)], 2, 100);
        KvSequence a = Admit(kv);
        Assert.Equal(8, kv.Reservable(a));
        Assert.False(kv.TryReserve(a, 9));
        Assert.Equal((0, 10, 2), (a.Reserved, kv.AvailableBlocks(0), kv.AvailableBlocks(1)));
        Assert.True(kv.TryReserve(a, 8));
        Assert.Equal((8, 6, 0), (a.Reserved, kv.AvailableBlocks(0), kv.AvailableBlocks(1)));
        Assert.Equal(new KvStatistics(12, 6, 0, 6), kv.Statistics());
        Assert.Equal(8, kv.Capacity);
        Assert.True(kv.Fits(8));
        Assert.False(kv.Fits(9));
        kv.Verify();
    }

    [Fact]
    public void Commit_returns_the_rest()
    {
        KvAllocator kv = Full(4, 4);
        KvSequence a = Admit(kv);
        kv.TryReserve(a, 16);
        kv.Commit(a, 5);
        Assert.Equal((5, 5, 2), (a.Committed, a.Reserved, kv.AvailableBlocks(0)));
        Assert.True(kv.TryReserve(a, 8));
        Assert.Equal([(2, 3), (3, 2)], New(kv, a));
        kv.Commit(a, 0);
        Assert.Equal((5, 2), (a.Reserved, kv.AvailableBlocks(0)));
        kv.Verify();
    }

    [Fact]
    public void Truncate_forgets_tokens_and_reservations()
    {
        KvAllocator kv = Full(4, 4);
        KvSequence a = Admit(kv);
        kv.TryReserve(a, 9);
        kv.Commit(a, 9);
        kv.TryReserve(a, 4);
        kv.Truncate(a, 4);
        Assert.Equal((4, 4, 3), (a.Committed, a.Reserved, kv.AvailableBlocks(0)));
        kv.TryReserve(a, 1);
        Assert.Equal([1], New(kv, a).Select(e => e.Index));
        kv.Verify();
        kv.Truncate(a, 0);
        Assert.Equal(4, kv.AvailableBlocks(0));
        kv.Verify();
    }

    [Fact]
    public void Release_returns_blocks_last_first_and_the_slot()
    {
        KvAllocator kv = Full(1, 3, maxSequences: 1);
        KvSequence a = Admit(kv), b = new(1);
        kv.TryReserve(a, 3);
        kv.Commit(a, 2);
        Assert.False(kv.TryAdmit(b));
        kv.Release(a);
        Assert.Equal((KvSequence.NoSlot, 0, 0), (a.TableSlot, a.Committed, a.Reserved));
        Assert.True(kv.TryAdmit(b));
        Assert.Equal(0, b.TableSlot);
        kv.TryReserve(b, 3);
        Assert.Equal([2, 1, 0], Slots(kv, b));
        kv.Verify();
    }

    [Fact]
    public void A_window_drops_blocks_at_the_front()
    {
        var kv = new KvAllocator([new CacheGroup(1, new WindowCache(4), 2, 8)], 1, 100);
        KvSequence a = Admit(kv);
        kv.TryReserve(a, 7);
        kv.Commit(a, 7);
        // The next query stands at 7 and reads 4..7.
        BlockTable table = kv.Table(a, 0);
        Assert.Equal((2, 4, 6), (table.First, table.End, kv.AvailableBlocks(0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => table[1]);
        kv.Verify();
        Assert.Throws<ArgumentOutOfRangeException>(() => kv.Truncate(a, 6));
        kv.Release(a);
        Assert.Equal(8, kv.AvailableBlocks(0));
        kv.Verify();
    }

    [Fact]
    public void Refuses_misuse_with_the_numbers()
    {
        KvAllocator kv = Full(4, 100, maxLength: 10);
        KvSequence a = Admit(kv), stranger = new(7);
        Assert.Contains("Sequence 7", Assert.Throws<InvalidOperationException>(() => kv.TryReserve(stranger, 1)).Message);
        Assert.Throws<InvalidOperationException>(() => kv.Release(stranger));
        Assert.Throws<InvalidOperationException>(() => kv.TryAdmit(a));
        kv.TryReserve(a, 8);
        Assert.Contains("8 tokens of at most 10", Assert.Throws<ArgumentOutOfRangeException>(() => kv.TryReserve(a, 3)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => kv.Commit(a, 9));
        Assert.Throws<ArgumentOutOfRangeException>(() => kv.Truncate(a, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => kv.CopySlots(a, 0, 5, new int[4]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Full(0, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => Full(1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new KvAllocator([], 1, 1));
    }

    [Fact]
    public void Allocates_nothing_once_warm()
    {
        KvAllocator kv = Full(4, 64);
        KvSequence a = new(0), b = new(1);
        var slots = new int[8];
        void Round()
        {
            kv.TryAdmit(a);
            kv.TryAdmit(b);
            for (int step = 0; step < 10; step++)
            {
                kv.TryReserve(a, 8);
                kv.TryReserve(b, 3);
                kv.CopySlots(a, 0, a.Committed, slots);
                kv.Commit(a, 5);
                kv.Commit(b, 3);
            }
            kv.Truncate(a, 7);
            kv.Release(b);
            kv.Release(a);
        }
        Round();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++) Round();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
