using CsCheck;

namespace Inference.KvCache.Tests;

/// <summary>
/// Random operations against a memory that is really written: every slot remembers which token of which sequence it holds, and a copy of the
/// block tables hears only of new entries, as a device does. Nothing a sequence still reads may ever be overwritten or out of reach.
/// </summary>
public class RandomOperationTests
{
    private sealed record Setup(int BlockSizeA, int BlocksA, int BlockSizeB, int BlocksB, int Window, int MaxSequences, int MaxLength);

    private static readonly Gen<Setup> Setups =
        from sizes in Gen.Select(Gen.Int[1, 5], Gen.Int[1, 20], Gen.Int[1, 5], Gen.Int[1, 20])
        from rest in Gen.Select(Gen.Int[1, 10], Gen.Int[1, 5], Gen.Int[1, 40])
        select new Setup(sizes.Item1, sizes.Item2, sizes.Item3, sizes.Item4, rest.Item1, rest.Item2, rest.Item3);

    private long _evictions;

    private static readonly Gen<(int Kind, int Sequence, int Amount)[]> Operations = Gen.Select(Gen.Int[0, 12], Gen.Int[0, 6], Gen.Int[0, 12]).Array[1, 120];

    [Fact]
    public void Keeps_every_token_readable_with_one_full_group() => Sample(setup => [new(1, CacheKind.Full, setup.BlockSizeA, setup.BlocksA)]);

    [Fact]
    public void Keeps_every_token_readable_with_a_full_and_a_sliding_group() => Sample(setup =>
        [new(1, CacheKind.Full, setup.BlockSizeA, setup.BlocksA), new(1, new WindowCache(setup.Window), setup.BlockSizeB, setup.BlocksB)]);

    private void Sample(Func<Setup, CacheGroup[]> groups)
    {
        Gen.Select(Setups, Operations).Sample((setup, operations) => Run(groups(setup), setup, operations), iter: 3000);
        // Histories in which nobody loses anything would prove little.
        Assert.True(_evictions > 1000, $"{_evictions} evictions");
    }

    private void Run(CacheGroup[] groups, Setup setup, (int Kind, int Sequence, int Amount)[] operations)
    {
        var kv = new KvAllocator(groups, setup.MaxSequences, setup.MaxLength);
        var memory = new MemoryModel(kv, groups);
        var sequences = new KvSequence[7];
        for (int i = 0; i < sequences.Length; i++) sequences[i] = new KvSequence(i);
        foreach ((int kind, int which, int amount) in operations)
        {
            KvSequence sequence = sequences[which];
            if (!sequence.IsAdmitted) memory.Admit(sequence);
            else if (sequence.IsIdle && kind > 1) memory.Resume(sequence);
            else if (sequence.IsIdle) memory.Release(sequence);
            else if (kind <= 3) memory.Reserve(sequence, amount);
            else if (kind <= 7) memory.Commit(sequence, amount);
            else if (kind == 8) memory.Truncate(sequence, amount);
            else if (kind >= 10) memory.Park(sequence);
            else if (amount < 4) memory.Release(sequence);
            kv.Verify();
            memory.Check();
        }
        Interlocked.Add(ref _evictions, kv.Evictions);
    }
}
