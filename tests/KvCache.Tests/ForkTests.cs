namespace Inference.KvCache.Tests;

/// <summary>Sequences that part: what they share, and when a block is copied.</summary>
public class ForkTests
{
    private static (KvAllocator Kv, KvSequence Parent, KvSequence Child) Setup(int tokens, int blocks = 10)
    {
        var kv = new KvAllocator([new CacheGroup(1, CacheKind.Full, 4, blocks)], 3, 100);
        KvSequence parent = new(0), child = new(1);
        Assert.True(kv.TryAdmit(parent) && kv.TryAdmit(child) && kv.TryReserve(parent, tokens));
        kv.Commit(parent, tokens);
        return (kv, parent, child);
    }

    private static int[] Blocks(KvAllocator kv, KvSequence sequence) => [.. Enumerable.Range(0, kv.Table(sequence, 0).End).Select(i => kv.Table(sequence, 0)[i])];

    [Fact]
    public void Shares_all_blocks_and_copies_the_last_when_one_of_both_goes_on()
    {
        (KvAllocator kv, KvSequence parent, KvSequence child) = Setup(10);
        Assert.True(kv.TryFork(parent, child, 10));
        Assert.Equal((10, 7), (child.Committed, kv.AvailableBlocks(0)));
        Assert.Equal(Blocks(kv, parent), Blocks(kv, child));
        kv.Verify();
        Assert.Equal(1, kv.MissingBlocks(parent, 11, 0));
        Assert.True(kv.TryReserve(parent, 1));
        Assert.Equal([new BlockOperation(BlockOperationKind.Copy, 2, 3)], kv.Operations(0).ToArray());
        Assert.Equal([0, 1, 3], Blocks(kv, parent));
        Assert.Equal(2, kv.Table(parent, 0).FirstNew);
        kv.Verify();
        // The other one is alone in its block now.
        Assert.Equal(0, kv.MissingBlocks(child, 11, 0));
        Assert.True(kv.TryReserve(child, 1));
        Assert.Equal((1, 1L), (kv.Operations(0).Length, kv.Copies));
        kv.Verify();
        kv.ClearOperations();
        Assert.Equal(0, kv.Operations(0).Length);
    }

    [Fact]
    public void Nothing_is_copied_at_the_end_of_a_block_or_when_the_parent_is_gone()
    {
        (KvAllocator kv, KvSequence parent, KvSequence child) = Setup(8);
        Assert.True(kv.TryFork(parent, child, 8));
        kv.TryReserve(parent, 1);
        kv.TryReserve(child, 1);
        Assert.Equal(0L, kv.Copies);

        (kv, parent, child) = Setup(10);
        Assert.True(kv.TryFork(parent, child, 7));
        kv.Release(parent);
        kv.TryReserve(child, 5);
        Assert.Equal(0L, kv.Copies);
        kv.Verify();
    }

    [Fact]
    public void A_block_that_a_step_in_flight_writes_to_is_copied_at_once_and_only_where_there_is_room()
    {
        (KvAllocator kv, KvSequence parent, KvSequence child) = Setup(10, blocks: 4);
        Assert.True(kv.TryReserve(parent, 2));
        Assert.True(kv.TryFork(parent, child, 9));
        Assert.Equal([new BlockOperation(BlockOperationKind.Copy, 2, 3)], kv.Operations(0).ToArray());
        kv.Verify();
        var third = new KvSequence(2);
        kv.TryAdmit(third);
        Assert.False(kv.TryFork(parent, third, 9));
        Assert.True(kv.TryFork(parent, third, 8));
        Assert.Equal(8, third.Committed);
        kv.Verify();
    }

    [Fact]
    public void Where_no_block_is_left_for_the_copy_nothing_can_be_reserved()
    {
        (KvAllocator kv, KvSequence parent, KvSequence child) = Setup(10, blocks: 3);
        Assert.True(kv.TryFork(parent, child, 10));
        Assert.Equal((0, 0), (kv.Reservable(parent), kv.Reservable(child)));
        Assert.False(kv.TryReserve(child, 1));
        kv.Release(parent);
        Assert.Equal(2, kv.Reservable(child));
        Assert.True(kv.TryReserve(child, 2));
        kv.Verify();
    }

    [Fact]
    public void A_full_block_that_is_shared_is_copied_where_the_child_parts_within_it()
    {
        (KvAllocator kv, KvSequence parent, KvSequence child) = Setup(12);
        Assert.True(kv.TryFork(parent, child, 6));
        Assert.True(kv.TryReserve(child, 4) && kv.TryReserve(parent, 1));
        Assert.Equal([new BlockOperation(BlockOperationKind.Copy, 1, 3)], kv.Operations(0).ToArray());
        Assert.Equal([0, 3, 4], Blocks(kv, child));
        kv.Verify();
    }

    [Fact]
    public void Refuses_misuse()
    {
        (KvAllocator kv, KvSequence parent, KvSequence child) = Setup(10);
        Assert.Throws<ArgumentOutOfRangeException>(() => kv.TryFork(parent, child, 11));
        Assert.Throws<InvalidOperationException>(() => kv.TryFork(child, parent, 0));
        var stranger = new KvSequence(5, 1);
        kv.TryAdmit(stranger);
        Assert.Throws<InvalidOperationException>(() => kv.TryFork(parent, stranger, 4));
        var window = new KvAllocator([new CacheGroup(1, new WindowCache(4), 2, 20)], 2, 100);
        KvSequence a = new(0), b = new(1);
        Assert.True(window.TryAdmit(a) && window.TryAdmit(b) && window.TryReserve(a, 12));
        window.Commit(a, 12);
        Assert.Throws<ArgumentOutOfRangeException>(() => window.TryFork(a, b, 9));
        Assert.True(window.TryFork(a, b, 12));
        window.Verify();
    }
}
