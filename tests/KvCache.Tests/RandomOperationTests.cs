using CsCheck;

namespace Inference.KvCache.Tests;

/// <summary>
/// Random operations against a memory that is really written: every slot remembers the text that it stands for, and a copy of the block tables hears only of new entries, as
/// a device does. Nothing a sequence still reads may ever be overwritten, out of reach or another's.
/// </summary>
public class RandomOperationTests
{
    private sealed record Setup(int BlockSizeA, int BlocksA, int BlockSizeB, int BlocksB, int Window, int MaxSequences, int MaxLength, int SwapBlocks);

    private static readonly Gen<Setup> Setups =
        from sizes in Gen.Select(Gen.Int[1, 5], Gen.Int[1, 20], Gen.Int[1, 5], Gen.Int[1, 20])
        from rest in Gen.Select(Gen.Int[1, 10], Gen.Int[1, 5], Gen.Int[1, 40], Gen.Int[0, 20])
        select new Setup(sizes.Item1, sizes.Item2, sizes.Item3, sizes.Item4, rest.Item1, rest.Item2, rest.Item3, rest.Item4);

    private static readonly Gen<(int Kind, int Sequence, int Amount)[]> Operations = Gen.Select(Gen.Int[0, 21], Gen.Int[0, 6], Gen.Int[0, 12]).Array[1, 120];

    /// <summary>Histories per test: thousands in CI, millions of operations once.</summary>
    private static readonly int Histories = int.TryParse(Environment.GetEnvironmentVariable("INFERENCE_HISTORIES"), out int n) ? n : 3000;

    private long _operations, _evictions, _hits, _tails, _copies, _forks, _swaps;

    [Fact]
    public void Keeps_every_token_readable_with_one_full_group() => Sample(setup => [new(1, CacheKind.Full, setup.BlockSizeA, setup.BlocksA)]);

    [Fact]
    public void Keeps_every_token_readable_with_a_full_and_a_sliding_group() => Sample(setup =>
        [new(1, CacheKind.Full, setup.BlockSizeA, setup.BlocksA), new(1, new WindowCache(setup.Window), setup.BlockSizeB, setup.BlocksB)]);

    [Fact]
    public void Keeps_every_token_readable_with_a_sliding_group_alone() => Sample(setup => [new(1, new WindowCache(setup.Window), setup.BlockSizeA, setup.BlocksA)]);

    private void Sample(Func<Setup, CacheGroup[]> groups)
    {
        Gen.Select(Setups, Operations).Sample((setup, operations) => Run(groups(setup), setup, operations), iter: Histories);
        // Histories in which nothing happens would prove little.
        string events = $"{_operations} operations: {_hits} hits, {_tails} of a tail, {_forks} forks, {_copies} copies, {_swaps} swapped in again, {_evictions} evictions";
        TestContext.Current.TestOutputHelper?.WriteLine(events);
        Assert.True(Math.Min(Math.Min(_hits, _tails), Math.Min(Math.Min(_forks, _copies), Math.Min(_swaps, _evictions))) > Histories / 200, events);
    }

    /// <summary>Three texts that begin alike and part one after the other.</summary>
    private static int[] Text(int which, int length) => [.. Enumerable.Range(0, length).Select(p => p < 4 + 9 * (which % 3) ? 1 + p % 2 : 3 + which)];

    private void Run(CacheGroup[] groups, Setup setup, (int Kind, int Sequence, int Amount)[] operations)
    {
        var kv = new KvAllocator(groups, setup.MaxSequences, setup.MaxLength, [.. groups.Select(_ => setup.SwapBlocks)]);
        var memory = new MemoryModel(kv, groups, setup.SwapBlocks);
        var sequences = new KvSequence[7];
        for (int i = 0; i < sequences.Length; i++) sequences[i] = NewSequence(i);
        // A sequence's tokens are these all the time, except behind a place that it goes back to.
        var texts = new int[7][];
        foreach ((int kind, int which, int amount) in operations)
        {
            KvSequence sequence = sequences[which];
            if (sequence.IsSwapped && kind < 15) memory.SwapIn(sequence);
            else if (sequence.IsSwapped) memory.Release(sequence, retire: false);
            else if (!sequence.IsAdmitted) memory.Admit(sequences[which] = NewSequence(which), texts[which] = Text(amount, setup.MaxLength), amount * 5);
            else if (kind <= 5) memory.Reserve(sequence, amount);
            else if (kind <= 12) memory.Commit(sequence, amount, texts[which]);
            else if (kind == 13) texts[which] = memory.Truncate(sequence, amount, Text(amount + 1, setup.MaxLength)) ?? texts[which];
            else if (kind == 14) memory.Rollback(sequence);
            else if (kind <= 16) Fork(which, amount % 5, amount);
            else if (kind == 17) memory.SwapOut(sequence);
            else memory.Release(sequence, retire: amount < 8);
            kv.Verify();
            memory.Check();
        }

        void Fork(int parent, int child, int amount)
        {
            if (parent == child || sequences[parent].Root != sequences[child].Root) return;
            if (sequences[child].IsAdmitted || sequences[child].IsSwapped) memory.Release(sequences[child], retire: false);
            sequences[child] = NewSequence(child);
            texts[child] = memory.Fork(sequences[parent], sequences[child], amount * 4, Text(amount, setup.MaxLength)) ?? [];
        }
        Interlocked.Add(ref _operations, operations.Length);
        Interlocked.Add(ref _evictions, kv.Evictions);
        Interlocked.Add(ref _hits, memory.Hits);
        Interlocked.Add(ref _tails, memory.Tails);
        Interlocked.Add(ref _copies, memory.Copies);
        Interlocked.Add(ref _forks, memory.Forks);
        Interlocked.Add(ref _swaps, memory.SwapIns);
    }

    // The last two share nothing with the others, and one of them with nobody.
    private static KvSequence NewSequence(int which) => new(which, which < 5 ? 1 : which == 5 ? 2 : (PrefixKey?)null);
}
