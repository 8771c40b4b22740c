namespace Inference.KvCache.Tests;

public class BlockPoolTests
{
    [Fact]
    public void Takes_the_block_that_has_been_free_longest()
    {
        var pool = new BlockPool(3);
        Assert.Equal([0, 1, 2], [pool.Take(), pool.Take(), pool.Take()]);
        pool.Return(1);
        pool.Return(2);
        pool.Return(0);
        Assert.Equal([1, 2, 0], [pool.Take(), pool.Take(), pool.Take()]);
    }

    [Fact]
    public void Takes_cached_blocks_last_and_of_those_the_one_used_longest_ago()
    {
        var pool = new BlockPool(4);
        for (int i = 0; i < 4; i++) pool.Take();
        pool.Index.Add(10, 1);
        pool.Index.Add(11, 0);
        for (int block = 3; block >= 0; block--) pool.Return(block);
        Assert.Equal((2, 2, 4), (pool.Free, pool.Cached, pool.Available));
        // Used again, block 1 is younger than block 0.
        Assert.True(pool.Index.TryFind(10, out int found));
        pool.Share(found);
        Assert.Equal((1, 1, 1), (found, pool.Cached, pool.References(1)));
        pool.Return(1);
        Assert.Equal([3, 2, 0, 1], [pool.Take(), pool.Take(), pool.Take(), pool.Take()]);
        Assert.Equal((2L, 0), (pool.Evictions, pool.Index.Count));
        Assert.False(pool.Index.TryFind(10, out _));
    }

    [Fact]
    public void Frees_a_shared_block_with_its_last_reference()
    {
        var pool = new BlockPool(2);
        int block = pool.Take();
        pool.Share(block);
        pool.Return(block);
        Assert.Equal((1, 1), (pool.References(block), pool.Free));
        pool.Return(block);
        Assert.Equal((0, 2), (pool.References(block), pool.Free));
    }

    [Fact]
    public void Forgets_what_a_block_holds()
    {
        var pool = new BlockPool(3);
        int a = pool.Take(), b = pool.Take(), copy = pool.Take();
        pool.Index.Add(1, a);
        pool.Index.Add(2, b);
        // The first one stays the one that is found.
        pool.Index.Add(1, copy);
        Assert.Equal((true, a, false), (pool.Index.TryFind(1, out int found), found, pool.Index.Contains(copy)));
        pool.Return(a);
        pool.Forget(a);
        pool.Forget(b);
        pool.Forget(b);
        Assert.Equal((1, 0, 0), (pool.Free, pool.Cached, pool.Index.Count));
    }

    [Fact]
    public void Counts_the_peak()
    {
        var pool = new BlockPool(4);
        int a = pool.Take(), b = pool.Take();
        pool.Return(a);
        pool.Return(b);
        pool.Take();
        Assert.Equal(2, pool.PeakUsed);
    }

    [Fact]
    public void Refuses_what_would_corrupt_it()
    {
        var pool = new BlockPool(1);
        Assert.Throws<InvalidOperationException>(() => pool.Share(0));
        Assert.Throws<InvalidOperationException>(() => pool.Return(0));
        pool.Take();
        Assert.Throws<InvalidOperationException>(() => pool.Take());
        pool.Index.Add(5, 0);
        Assert.Throws<InvalidOperationException>(() => pool.Index.Add(6, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BlockPool(0));
    }
}
