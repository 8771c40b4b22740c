namespace Inference.KvCache.Tests;

/// <summary>Sequences that are moved to the host and back.</summary>
public class SwapTests
{
    private static readonly int[] Text = [.. Enumerable.Range(100, 60)];

    private static KvSequence Compute(KvAllocator kv, long id, int tokens, PrefixKey? root = null)
    {
        var sequence = new KvSequence(id, root);
        Assert.True(kv.TryAdmit(sequence) && kv.TryReserve(sequence, tokens));
        kv.Commit(sequence, tokens, Text);
        return sequence;
    }

    private static KvAllocator Allocator(int blocks, int swapBlocks) => new([new CacheGroup(1, CacheKind.Full, 4, blocks)], 3, 100, [swapBlocks]);

    [Fact]
    public void Moves_out_and_in_in_order()
    {
        KvAllocator kv = Allocator(4, 5);
        KvSequence a = Compute(kv, 0, 10);
        kv.TryReserve(a, 4);
        Assert.True(kv.TrySwapOut(a));
        Assert.Equal([new(BlockOperationKind.SwapOut, 0, 0), new(BlockOperationKind.SwapOut, 1, 1), new BlockOperation(BlockOperationKind.SwapOut, 2, 2)], kv.Operations(0).ToArray());
        Assert.Equal((true, false, 10, 10, 4, 2), (a.IsSwapped, a.IsAdmitted, a.Committed, a.Reserved, kv.AvailableBlocks(0), kv.FreeSwapBlocks(0)));
        kv.Verify();
        kv.ClearOperations();
        KvSequence b = Compute(kv, 1, 8);
        Assert.False(kv.TrySwapIn(a, Text));
        kv.Release(b);
        Assert.True(kv.TrySwapIn(a, Text));
        BlockTable table = kv.Table(a, 0);
        Assert.Equal([new(BlockOperationKind.SwapIn, 0, table[0]), new(BlockOperationKind.SwapIn, 1, table[1]), new BlockOperation(BlockOperationKind.SwapIn, 2, table[2])], kv.Operations(0).ToArray());
        Assert.Equal((0, 3, 10, 5, 3L, 3L), (table.FirstNew, table.End, a.Committed, kv.FreeSwapBlocks(0), kv.SwappedOut, kv.SwappedIn));
        kv.Verify();
    }

    [Fact]
    public void What_others_still_have_is_not_moved_in()
    {
        KvAllocator kv = Allocator(6, 5);
        KvSequence a = Compute(kv, 0, 10, root: 1), b = new(1, 1);
        kv.TryAdmit(b);
        kv.AttachPrefix(b, Text, 9);
        Assert.Equal((8, 8), (kv.SharedTokens(a), kv.SharedTokens(b)));
        Assert.True(kv.TrySwapOut(a));
        kv.ClearOperations();
        Assert.Equal(1, kv.SwapInBlocks(a, Text, 10, 0));
        Assert.True(kv.TrySwapIn(a, Text));
        Assert.Equal(BlockOperationKind.SwapIn, Assert.Single(kv.Operations(0).ToArray()).Kind);
        Assert.Equal(kv.Table(b, 0)[0], kv.Table(a, 0)[0]);
        kv.Verify();
    }

    [Fact]
    public void What_was_moved_in_is_found_again()
    {
        KvAllocator kv = Allocator(3, 5);
        KvSequence a = Compute(kv, 0, 10, root: 1);
        kv.TrySwapOut(a);
        kv.Release(Compute(kv, 1, 12));
        var c = new KvSequence(2, 1);
        Assert.Equal(0, kv.FindPrefix(c, Text, 10));
        Assert.True(kv.TrySwapIn(a, Text));
        Assert.Equal(8, kv.FindPrefix(c, Text, 10));
        kv.Verify();
    }

    [Fact]
    public void Too_little_space_changes_nothing_and_releasing_gives_it_back()
    {
        KvAllocator kv = Allocator(6, 2);
        KvSequence a = Compute(kv, 0, 10), b = Compute(kv, 1, 5), c = new(2);
        kv.TryAdmit(c);
        Assert.Equal((false, false), (kv.TrySwapOut(a), kv.TrySwapOut(c)));
        Assert.True(a.IsAdmitted);
        Assert.True(kv.TrySwapOut(b));
        Assert.Throws<InvalidOperationException>(() => kv.TryReserve(b, 1));
        Assert.Throws<InvalidOperationException>(() => kv.TrySwapIn(a, Text));
        kv.Release(b);
        Assert.Equal((2, 0, false), (kv.FreeSwapBlocks(0), b.Committed, b.IsSwapped));
        kv.Verify();
    }

    [Fact]
    public void A_window_moves_only_what_it_reads()
    {
        var kv = new KvAllocator([new CacheGroup(1, new WindowCache(4), 2, 20)], 2, 100, [3]);
        var a = new KvSequence(0);
        Assert.True(kv.TryAdmit(a) && kv.TryReserve(a, 21));
        kv.Commit(a, 21);
        Assert.True(kv.TrySwapOut(a));
        kv.Verify();
        Assert.True(kv.TrySwapIn(a, Text));
        Assert.Equal((9, 11), (kv.Table(a, 0).First, kv.Table(a, 0).End));
        kv.Verify();
    }

    [Fact]
    public void What_could_not_be_moved_is_found_by_nobody()
    {
        KvAllocator kv = Allocator(6, 5);
        KvSequence a = Compute(kv, 0, 10, root: 1);
        kv.TrySwapOut(a);
        kv.Release(Compute(kv, 1, 24));
        Assert.True(kv.TrySwapIn(a, Text));
        kv.DropOperations();
        kv.Release(a);
        Assert.Equal((0, 0), (kv.FindPrefix(new KvSequence(2, 1), Text, 10), kv.Operations(0).Length));
        kv.Verify();
    }
}
