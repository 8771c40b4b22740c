namespace Inference.KvCache.Tests;

/// <summary>What a sequence finds of others with the same beginning, and what it leaves.</summary>
public class PrefixTests
{
    private static readonly int[] Text = [.. Enumerable.Range(100, 60)];

    private static KvAllocator Allocator(int blocks, int sequences = 4) => new([new CacheGroup(1, CacheKind.Full, 4, blocks)], sequences, 100);

    /// <summary>Computes what is not found of the first tokens of a text.</summary>
    private static KvSequence Compute(KvAllocator kv, int[] text, int tokens, PrefixKey? root = null, int? limit = null)
    {
        var sequence = new KvSequence(1, root ?? 7);
        Assert.True(kv.TryAdmit(sequence));
        kv.AttachPrefix(sequence, text, limit ?? tokens);
        int rest = tokens - sequence.Committed;
        Assert.True(kv.TryReserve(sequence, rest));
        kv.Commit(sequence, rest, text.AsSpan(0, tokens));
        kv.Verify();
        return sequence;
    }

    private static int Found(KvAllocator kv, int[] text, int limit, PrefixKey? root = null)
    {
        var sequence = new KvSequence(2, root ?? 7);
        int whole = kv.FindPrefix(sequence, text, limit);
        Assert.True(kv.TryAdmit(sequence));
        Assert.Equal(whole, kv.AttachPrefix(sequence, text, limit) / 4 * 4);
        int found = sequence.Committed;
        kv.Verify();
        kv.Release(sequence);
        return found;
    }

    [Fact]
    public void Finds_whole_blocks_up_to_the_limit_while_they_are_used_and_afterwards()
    {
        KvAllocator kv = Allocator(20);
        KvSequence a = Compute(kv, Text, 14);
        Assert.Equal([12, 12, 8, 0], [Found(kv, Text, 14), Found(kv, Text, 12), Found(kv, Text, 11), Found(kv, Text, 3)]);
        kv.Release(a);
        Assert.Equal(new KvStatistics(20, 17, 3, 4), kv.Statistics(0));
        Assert.Equal([12, 8], [Found(kv, Text, 50), Found(kv, [.. Text[..11], 1, 2, 3], 14)]);
    }

    [Fact]
    public void Shares_blocks_and_writes_into_none_of_them()
    {
        KvAllocator kv = Allocator(20);
        KvSequence a = Compute(kv, Text, 14), b = Compute(kv, [.. Text[..9], 5, 6, 7], 12);
        BlockTable ofA = kv.Table(a, 0), ofB = kv.Table(b, 0);
        Assert.Equal([true, true, false], Enumerable.Range(0, 3).Select(i => ofA[i] == ofB[i]));
        Assert.Equal(15, kv.AvailableBlocks(0));
        // The device has none of b's entries yet when they are found.
        KvSequence c = new(3, 7);
        kv.TryAdmit(c);
        Assert.Equal(12, kv.AttachPrefix(c, Text, 13));
        Assert.Equal((0, 3), (kv.Table(c, 0).FirstNew, kv.Table(c, 0).End));
        kv.TryReserve(c, 1);
        kv.Rollback(c);
        Assert.Equal((0, 3), (kv.Table(c, 0).FirstNew, kv.Table(c, 0).End));
        kv.TryReserve(c, 1);
        kv.Commit(c, 1, Text);
        Assert.Equal((4, 4), (kv.Table(c, 0).FirstNew, kv.Table(c, 0).End));
        kv.Verify();
    }

    [Fact]
    public void Another_root_finds_nothing_and_a_sequence_without_one_neither_finds_nor_leaves_anything()
    {
        KvAllocator kv = Allocator(20);
        PrefixKey tenant = PrefixChain.Root("tenant"), other = PrefixChain.Root("other");
        Compute(kv, Text, 12, tenant);
        Assert.Equal([12, 0], [Found(kv, Text, 12, tenant), Found(kv, Text, 12, other)]);
        var unnamed = new KvSequence(4);
        kv.TryAdmit(unnamed);
        Assert.Equal(0, kv.AttachPrefix(unnamed, Text, 12));
        kv.TryReserve(unnamed, 8);
        kv.Commit(unnamed, 8, Text);
        kv.Retire(unnamed, Text);
        Assert.Equal(0, kv.Statistics(0).Cached);
    }

    [Fact]
    public void The_end_of_a_prefix_is_evicted_before_its_beginning_and_what_was_found_again_last()
    {
        KvAllocator kv = Allocator(6);
        int[] other = [.. Text.Select(t => -t)];
        kv.Release(Compute(kv, Text, 12));
        kv.Release(Compute(kv, other, 12));
        Assert.Equal(4, Found(kv, Text, 7));
        KvSequence big = Compute(kv, [9, 9, 9, 9, 9, 9, 9, 9, 9], 9);
        // Blocks 2 and 1 of the text that nobody asked for go first; block 0 of it was used after the other's.
        Assert.Equal((4, 8, 3L), (Found(kv, Text, 12), Found(kv, other, 12), kv.Evictions));
        kv.Release(big);
        kv.Verify();
    }

    [Fact]
    public void A_duplicate_is_not_found_and_is_freed()
    {
        KvAllocator kv = Allocator(20);
        KvSequence a = Compute(kv, Text, 8), b = Compute(kv, Text, 8, limit: 0);
        kv.Release(b);
        Assert.Equal((18, 0), (kv.Statistics(0).Free, kv.Statistics(0).Cached));
        kv.Release(a);
        Assert.Equal((18, 2), (kv.Statistics(0).Free, kv.Statistics(0).Cached));
    }

    [Fact]
    public void A_block_that_is_written_again_after_going_back_is_found_no_more()
    {
        KvAllocator kv = Allocator(20);
        KvSequence a = Compute(kv, Text, 8);
        kv.Truncate(a, 6);
        Assert.Equal(8, Found(kv, Text, 8));
        Assert.True(kv.TryReserve(a, 1));
        kv.Verify();
        Assert.Equal(4, Found(kv, Text, 8));
        kv.Commit(a, 1, Text);
        kv.TryReserve(a, 1);
        kv.Commit(a, 1, [.. Text[..7], 5]);
        Assert.Equal((8, 4), (Found(kv, [.. Text[..7], 5], 8), Found(kv, Text, 8)));
    }

    [Fact]
    public void Blocks_that_are_found_in_use_cost_a_newcomer_nothing()
    {
        KvAllocator kv = Allocator(5);
        KvSequence a = Compute(kv, Text, 12), b = new(5, 7);
        Assert.Equal((12, 1, 4), (kv.FindPrefix(b, Text, 12), kv.NewcomerBlocks(b, 12, 14, 0), kv.NewcomerBlocks(b, 0, 14, 0)));
        kv.Release(a);
        Assert.Equal((4, 5), (kv.NewcomerBlocks(b, 12, 14, 0), kv.AvailableBlocks(0)));
    }

    [Fact]
    public void In_two_groups_a_prefix_ends_where_blocks_of_both_end()
    {
        var kv = new KvAllocator([new CacheGroup(1, CacheKind.Full, 2, 30), new CacheGroup(1, CacheKind.Full, 3, 30)], 4, 100);
        Compute(kv, Text, 17);
        var b = new KvSequence(5, 7);
        Assert.Equal((12, 6), (kv.FindPrefix(b, Text, 17), kv.FindPrefix(b, Text, 11)));
    }

    [Fact]
    public void A_window_needs_only_the_blocks_that_it_reads()
    {
        var kv = new KvAllocator([new CacheGroup(1, CacheKind.Full, 4, 30), new CacheGroup(1, new WindowCache(6), 4, 30)], 4, 100);
        KvSequence a = Compute(kv, Text, 26);
        kv.Release(a);
        var b = new KvSequence(5, 7);
        kv.TryAdmit(b);
        Assert.Equal(24, kv.AttachPrefix(b, Text, 26));
        // Position 24 reads 19..24.
        Assert.Equal((0, 6, 4, 6), (kv.Table(b, 0).First, kv.Table(b, 0).End, kv.Table(b, 1).First, kv.Table(b, 1).End));
        kv.Verify();
        // What is left of the window's group when its newest blocks are taken is a shorter prefix.
        var c = new KvSequence(6, 7);
        foreach (int block in (int[])[4, 5]) Pool(kv, 1).Forget(kv.Table(b, 1)[block]);
        Assert.Equal(16, kv.FindPrefix(c, Text, 26));
    }

    [Fact]
    public void The_last_block_is_taken_over_by_who_goes_on_with_its_tokens_and_by_nobody_else()
    {
        KvAllocator kv = Allocator(20);
        kv.Retire(Compute(kv, Text, 14), Text);
        Assert.Equal(new KvStatistics(20, 16, 4, 4), kv.Statistics(0));
        Assert.Equal([13 - 1, 12], [Found(kv, Text, 13), Found(kv, [.. Text[..13], 1, 2], 15)]);
        KvSequence a = Compute(kv, Text, 14);
        Assert.Equal(16, kv.AvailableBlocks(0));
        // Taken, it is another's no more.
        Assert.Equal(12, Found(kv, Text, 15));
        kv.TryReserve(a, 1);
        kv.Verify();
        kv.Commit(a, 1, Text);
        kv.Retire(a, Text);
        Assert.Equal(15, Found(kv, Text, 16));
    }

    [Fact]
    public void Keys_depend_on_everything_before_and_on_nothing_after()
    {
        PrefixKey Key(PrefixKey root, int[] tokens, int block)
        {
            var chain = new PrefixChain(root, 2);
            chain.Extend(tokens, block + 1);
            return chain[block];
        }
        PrefixKey[] keys = [Key(1, [1, 2, 3, 4], 1), Key(2, [1, 2, 3, 4], 1), Key(1, [5, 2, 3, 4], 1), Key(1, [1, 2, 3, 5], 1), Key(1, [3, 4], 0), Key(1, [1, 2, 3, 4], 0)];
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.Equal(keys[0], Key(1, [1, 2, 3, 4, 9, 9], 1));
        // Independently: SHA-256 of the 16 bytes of the key before, then the tokens, all little-endian.
        byte[] Sha(byte[] before, params int[] tokens) => System.Security.Cryptography.SHA256.HashData([.. before, .. tokens.SelectMany(BitConverter.GetBytes)])[..16];
        Assert.Equal(new PrefixKey(BitConverter.ToUInt64(Sha(Sha([1, .. new byte[15]], 1, 2), 3, 4), 0), BitConverter.ToUInt64(Sha(Sha([1, .. new byte[15]], 1, 2), 3, 4), 8)), keys[0]);
    }

    [System.Runtime.CompilerServices.UnsafeAccessor(System.Runtime.CompilerServices.UnsafeAccessorKind.Field, Name = "_pools")]
    private static extern ref BlockPool[] Pools(KvAllocator kv);

    private static BlockPool Pool(KvAllocator kv, int group) => Pools(kv)[group];
}
