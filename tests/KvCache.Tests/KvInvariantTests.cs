using System.Runtime.CompilerServices;

namespace Inference.KvCache.Tests;

/// <summary>Breaks each invariant once: a check that cannot fail checks nothing.</summary>
public class KvInvariantTests
{
    private readonly KvAllocator _kv = new([new CacheGroup(1, CacheKind.Full, 2, 8)], 3, 100, [4]);
    private readonly KvSequence _a = new(0, root: 3);
    private readonly KvSequence _b = new(1);

    public KvInvariantTests()
    {
        _kv.TryAdmit(_a);
        _kv.TryAdmit(_b);
        _kv.TryReserve(_a, 3);
        _kv.Commit(_a, 3);
        _kv.TryReserve(_a, 3);
        _kv.TryReserve(_b, 1);
        _kv.Verify();
    }

    private BlockPool Pool => Pools(_kv)[0];

    private void AssertBroken(int invariant) => Assert.Equal(invariant, Assert.Throws<KvInvariantException>(_kv.Verify).Invariant);

    [Fact]
    public void Lengths_1()
    {
        _a.Committed = 7;
        AssertBroken(1);
    }

    [Fact]
    public void End_of_a_table_2()
    {
        _kv.Table(_a, 0).Append(Pool.Take());
        AssertBroken(2);
    }

    [Fact]
    public void Start_of_a_table_3()
    {
        Pool.Return(_kv.Table(_a, 0).DropFront());
        AssertBroken(3);
    }

    [Fact]
    public void New_entries_4()
    {
        _kv.Table(_a, 0).MarkKnown();
        AssertBroken(4);
    }

    [Fact]
    public void Block_out_of_the_pool_4()
    {
        Pool.Return(_kv.Table(_b, 0).DropBack());
        _kv.Table(_b, 0).Append(8);
        AssertBroken(4);
    }

    [Fact]
    public void References_5()
    {
        Pool.Share(_kv.Table(_a, 0)[0]);
        AssertBroken(5);
    }

    [Fact]
    public void Free_queue_6()
    {
        Free(Pool).Remove(7);
        AssertBroken(6);
        Free(Pool).Add(_kv.Table(_a, 0)[0]);
        AssertBroken(6);
    }

    [Fact]
    public void Cached_queue_6()
    {
        Pool.Index.Add(1, 7);
        AssertBroken(6);
    }

    [Fact]
    public void Shared_writable_block_7()
    {
        int shared = _kv.Table(_a, 0)[0];
        Pool.Return(_kv.Table(_b, 0).DropBack());
        _kv.Table(_b, 0).Append(shared);
        Pool.Share(shared);
        AssertBroken(7);
    }

    [Fact]
    public void Slots_8()
    {
        _b.TableSlot = 2;
        AssertBroken(8);
    }

    [Fact]
    public void Writable_block_with_a_key_7()
    {
        Pool.Index.Add(1, _kv.Table(_b, 0)[0]);
        AssertBroken(7);
    }

    [Fact]
    public void Key_that_leads_elsewhere_9()
    {
        Pool.Index.Add(1, _kv.Table(_a, 0)[0]);
        Keys(Pool.Index)[_kv.Table(_a, 0)[0]] = 2;
        AssertBroken(9);
    }

    [Fact]
    public void Key_of_another_text_10()
    {
        Pool.Index.Add(1, _kv.Table(_a, 0)[0]);
        _kv.Key(_a, [4, 5], 0, 0);
        AssertBroken(10);
    }

    [Fact]
    public void Swap_space_11()
    {
        Assert.True(_kv.TrySwapOut(_a));
        _kv.Verify();
        _a.SwapBlocks![0][0] = _a.SwapBlocks[0][1];
        AssertBroken(11);
    }

    [Fact]
    public void Swapped_sequence_11()
    {
        _kv.TrySwapOut(_a);
        _a.Reserved++;
        AssertBroken(11);
    }

    [Fact]
    public void Message_names_the_numbers()
    {
        _a.Committed = 7;
        Assert.Equal("KV invariant 1 is broken: sequence 0 has 7 tokens committed and 6 reserved of at most 100.", Assert.Throws<KvInvariantException>(_kv.Verify).Message);
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_pools")]
    private static extern ref BlockPool[] Pools(KvAllocator kv);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_free")]
    private static extern ref BlockQueue Free(BlockPool pool);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_keys")]
    private static extern ref PrefixKey[] Keys(PrefixIndex index);
}
