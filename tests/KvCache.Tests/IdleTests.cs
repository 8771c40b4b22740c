namespace Inference.KvCache.Tests;

/// <summary>What an idle sequence keeps, and for whom it makes room.</summary>
public class IdleTests
{
    private static KvAllocator Allocator(int blocks, int sequences = 4) => new([new CacheGroup(1, CacheKind.Full, 4, blocks)], sequences, 100);

    private static KvSequence Idle(KvAllocator kv, long id, int tokens)
    {
        var sequence = new KvSequence(id);
        Assert.True(kv.TryAdmit(sequence) && kv.TryReserve(sequence, tokens));
        kv.Commit(sequence, tokens);
        kv.Park(sequence);
        kv.Verify();
        return sequence;
    }

    private static int[] Blocks(KvAllocator kv, KvSequence sequence)
    {
        BlockTable table = kv.Table(sequence, 0);
        return [.. Enumerable.Range(table.First, table.End - table.First).Select(i => table[i])];
    }

    [Fact]
    public void Keeps_slot_and_blocks_until_it_goes_on()
    {
        KvAllocator kv = Allocator(8);
        KvSequence a = Idle(kv, 0, 9);
        int slot = a.TableSlot;
        int[] blocks = Blocks(kv, a);
        Assert.Equal((5, 8, 3), (kv.FreeBlocks(0), kv.AvailableBlocks(0), kv.Statistics().Evictable));
        kv.Resume(a);
        Assert.True(kv.TryReserve(a, 4));
        // The device has the first three entries; only the fourth is new to it.
        Assert.Equal((slot, 3, 4), (a.TableSlot, kv.Table(a, 0).FirstNew, kv.Table(a, 0).End));
        Assert.Equal(blocks, Blocks(kv, a)[..3]);
        kv.Verify();
    }

    [Fact]
    public void The_one_parked_first_makes_room_first_and_only_as_many_as_are_needed()
    {
        KvAllocator kv = Allocator(8);
        KvSequence a = Idle(kv, 0, 8), b = Idle(kv, 1, 8), c = Idle(kv, 2, 8), d = new(3);
        kv.Resume(a);
        kv.Park(a);
        Assert.True(kv.TryAdmit(d));
        Assert.Equal(32, kv.Reservable(d));
        Assert.True(kv.TryReserve(d, 12));
        Assert.Equal((true, false, true, 1L), (a.IsIdle, b.IsAdmitted, c.IsIdle, kv.Evictions));
        Assert.Equal((0, 8), (b.Committed, a.Committed));
        kv.Verify();
    }

    [Fact]
    public void Too_little_even_then_changes_nothing()
    {
        KvAllocator kv = Allocator(4);
        KvSequence a = Idle(kv, 0, 8), b = new(1), c = new(2);
        Assert.True(kv.TryAdmit(b) && kv.TryReserve(b, 4) && kv.TryAdmit(c));
        Assert.False(kv.TryReserve(c, 13));
        Assert.True(a.IsIdle);
        Assert.True(kv.TryReserve(c, 12));
        Assert.False(a.IsAdmitted);
    }

    [Fact]
    public void A_slot_is_taken_from_it_too()
    {
        KvAllocator kv = Allocator(8, sequences: 1);
        KvSequence a = Idle(kv, 0, 4), b = new(1);
        Assert.True(kv.TryAdmit(b));
        Assert.Equal((false, 8), (a.IsAdmitted, kv.FreeBlocks(0)));
        Assert.False(kv.TryAdmit(a));
        kv.Verify();
    }

    [Fact]
    public void A_reservation_ends_when_it_is_parked_and_nothing_is_kept_of_an_empty_one()
    {
        KvAllocator kv = Allocator(8);
        KvSequence a = new(0), b = new(1);
        Assert.True(kv.TryAdmit(a) && kv.TryReserve(a, 5));
        kv.Commit(a, 5);
        Assert.True(kv.TryReserve(a, 12) && kv.TryAdmit(b) && kv.TryReserve(b, 3));
        kv.Park(a);
        kv.Park(b);
        Assert.Equal((true, 5, 5, false, 6), (a.IsIdle, a.Committed, a.Reserved, b.IsAdmitted, kv.FreeBlocks(0)));
        kv.Verify();
    }

    [Fact]
    public void It_can_be_released_and_must_be_resumed_for_anything_else()
    {
        KvAllocator kv = Allocator(8);
        KvSequence a = Idle(kv, 0, 8);
        foreach (Action misuse in (Action[])[() => kv.TryReserve(a, 1), () => kv.Commit(a, 0), () => kv.Truncate(a, 4), () => kv.Park(a), () => kv.Reservable(a), () => kv.TryAdmit(a)])
            Assert.Throws<InvalidOperationException>(misuse);
        kv.Release(a);
        Assert.Equal((false, 8, 0, 0L), (a.IsAdmitted, kv.FreeBlocks(0), kv.IdleCount, kv.Evictions));
        Assert.Throws<InvalidOperationException>(() => kv.Resume(a));
        kv.Verify();
    }

    [Fact]
    public void A_block_shared_with_a_running_sequence_is_not_to_be_had()
    {
        var pool = new BlockPool(3);
        int block = pool.Take();
        pool.Park(block);
        Assert.Equal((2, 1), (pool.Free, pool.Evictable));
        pool.Share(block);
        Assert.Equal(0, pool.Evictable);
        pool.Return(block);
        Assert.Equal(1, pool.Evictable);
        Assert.Throws<InvalidOperationException>(() => pool.Return(block));
        pool.Wake(block);
        pool.Return(block);
        Assert.Equal((3, 0), (pool.Free, pool.Evictable));
    }

    [Fact]
    public void A_window_that_has_moved_on_cannot_go_back()
    {
        var kv = new KvAllocator([new CacheGroup(1, new WindowCache(4), 2, 20)], 2, 100);
        KvSequence a = Idle(kv, 0, 20);
        Assert.Equal((true, true, false, true), (kv.CanTruncate(a, 20), kv.CanTruncate(a, 19), kv.CanTruncate(a, 12), kv.CanTruncate(a, 0)));
    }
}
