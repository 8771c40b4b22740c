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
        Assert.Throws<ArgumentOutOfRangeException>(() => new BlockPool(0));
    }
}
