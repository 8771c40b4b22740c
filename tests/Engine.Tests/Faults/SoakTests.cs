using System.Runtime.CompilerServices;
using Inference.KvCache;
using Inference.Scheduling;
using Inference.Tests.Shared;

namespace Inference.Tests.Faults;

/// <summary>Tests that look at what the whole process does run alone.</summary>
[CollectionDefinition(nameof(ProcessWide), DisableParallelization = true)]
public class ProcessWide;

/// <summary>Many requests that end in every way there is, in too little memory: nothing is left behind.</summary>
[Collection(nameof(ProcessWide))]
public class SoakTests
{
    private const int Clients = 16, Blocks = 14;

    /// <summary>A few hundred in CI; 10,000 once: INFERENCE_SOAK=10000.</summary>
    private static readonly int Requests = int.TryParse(Environment.GetEnvironmentVariable("INFERENCE_SOAK"), out int n) ? n : 300;

    private static readonly string[] Beginnings = ["In the beginning God created the heaven and the earth.", "And it came to pass", "The LORD is my shepherd; I shall not want. He maketh me to lie down in green pastures:", "And"];

    private static readonly string[] Ends = ["", " Behold", " Thus saith the LORD of hosts", " and all the people answered"];

    private sealed class Counts
    {
        public int Answers, Stopped, Full, Left, Cancelled, TimedOut, Refused, Tokens;
    }

    [Fact]
    public async Task Nothing_is_left_behind_by_requests_that_end_in_every_way()
    {
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions
        {
            Device = "cpu",
            Threads = 1,
            KvBlocks = Blocks,
            Admission = AdmissionMode.Eager,
            ContextLength = 128,
            MaxSequences = 6,
            MaxBatchTokens = 48,
            MaxPrefillChunk = 20,
            MaxUnreadTokens = 6,
            SwapMemoryBytes = 8 << 20,
            Preemption = PreemptionMode.Swap,
        });
        var counts = new Counts();
        List<WeakReference> generations = [];
        int next = 0;
        async Task ClientAsync(int client, int end)
        {
            var random = new Random(client * 1000 + end);
            while (Interlocked.Increment(ref next) <= end) await OneAsync(engine, random, counts, generations);
        }
        async Task RunAsync(int end)
        {
            await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(() => ClientAsync(client, end))));
            next = end;
            for (int i = 0; i < 3000 && engine.GetStatistics() is { } s && s.Running + s.Waiting + s.Paused + s.KvBlocksUsed > 0; i++) await Task.Delay(10);
            KvStatistics blocks = await engine.VerifyAsync();
            Assert.Equal((Blocks, 0, Blocks), (blocks.Total, blocks.Used, blocks.Free + blocks.Cached));
        }
        await RunAsync(Requests / 5);
        long before = Heap();
        await RunAsync(Requests);
        long after = Heap();
        int alive = Alive(generations);
        EngineStatistics s = engine.GetStatistics();
        string line = $"{Requests} requests, {counts.Answers} answers: {counts.Full} to their length, {counts.Stopped} stopped, {counts.Left} left, {counts.Cancelled} cancelled, {counts.TimedOut} timed out, {counts.Refused} refused; " +
            $"{counts.Tokens} tokens, {s.Steps} steps, {s.Preemptions} preemptions ({s.SwapPreemptions} by swap), {s.Forks} forks, {s.Evictions} evictions, {s.CachedTokens} tokens cached; " +
            $"0 of {Blocks} blocks leaked, heap {before / 1024} KB after a fifth and {after / 1024} KB at the end, {alive} of {generations.Count} answers reachable";
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        ConformanceLog.Write("soak", line);
        // What a state machine on some thread's stack still names is no leak; one that grows with the requests is.
        Assert.InRange(alive, 0, 2 * Clients);
        Assert.InRange(after, 0, before + (4 << 20));
        Assert.True(new[] { counts.Full, counts.Stopped, counts.Left, counts.Cancelled, counts.TimedOut, counts.Refused, (int)s.Preemptions, (int)s.SwapPreemptions, (int)s.Forks, (int)s.Evictions }.Min() > 0, line);
    }

    private static long Heap()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        return GC.GetTotalMemory(forceFullCollection: true);
    }

    private static int Alive(List<WeakReference> references) => references.Count(r => r.IsAlive);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task OneAsync(InferenceEngine engine, Random random, Counts counts, List<WeakReference> generations)
    {
        string prompt = Beginnings[random.Next(Beginnings.Length)] + Ends[random.Next(Ends.Length)];
        using var source = new CancellationTokenSource();
        int kind = random.Next(24);
        var options = new GenerationOptions
        {
            MaxTokens = kind == 0 ? 2000 : random.Next(1, 60),
            Temperature = random.Next(2),
            Seed = (ulong)random.Next(1000),
            Samples = random.Next(5) == 0 ? random.Next(2, 4) : 1,
            Stop = random.Next(3) == 0 ? [" the", ","] : [],
            Priority = random.Next(-2, 3),
            Tenant = random.Next(3).ToString(),
            CacheSalt = random.Next(6) == 0 ? "salt" : null,
            Timeout = kind == 1 ? TimeSpan.FromMilliseconds(random.Next(3)) : null,
            PromptLogprobs = kind == 2 ? 1 : null,
        };
        // Beyond the context, in tokens: refused.
        if (kind == 3) prompt = string.Concat(Enumerable.Repeat(prompt + " ", 40));
        IReadOnlyList<Generation> samples = engine.GenerateSamplesAsync(prompt, options, source.Token);
        lock (generations)
            foreach (Generation generation in samples) generations.Add(new WeakReference(generation));
        int leaveAt = kind is 4 or 5 ? random.Next(0, 6) : int.MaxValue, cancelAt = kind is 6 or 7 ? random.Next(0, 6) : int.MaxValue;
        foreach (Generation generation in samples)
        {
            Interlocked.Increment(ref counts.Answers);
            try
            {
                await foreach (GeneratedToken token in generation)
                {
                    Interlocked.Increment(ref counts.Tokens);
                    if (token.Index >= cancelAt) await source.CancelAsync();
                    if (token.Index < leaveAt) continue;
                    Interlocked.Increment(ref counts.Left);
                    break;
                }
                if (generation.FinishReason == FinishReason.Stop) Interlocked.Increment(ref counts.Stopped);
                else if (generation.FinishReason == FinishReason.Length) Interlocked.Increment(ref counts.Full);
            }
            catch (OperationCanceledException)
            {
                Interlocked.Increment(ref counts.Cancelled);
            }
            catch (RequestTimeoutException)
            {
                Interlocked.Increment(ref counts.TimedOut);
            }
            catch (InferenceException e) when (e.InnerException is RequestRefusedException)
            {
                Interlocked.Increment(ref counts.Refused);
            }
        }
    }

    [Fact]
    public async Task The_smallest_pool_serves_two_hundred_requests_one_after_the_other()
    {
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu", Threads = 1, KvBlocks = 1, MaxSequences = 8, MaxBatchTokens = 8 });
        Generation[] all = [.. Enumerable.Range(0, 200).Select(i => engine.GenerateAsync("And the", new GenerationOptions { MaxTokens = 1 + i % 8, IgnoreEos = true, Priority = i % 3 }))];
        for (int i = 0; i < all.Length; i++) Assert.Equal(1 + i % 8, (await TestEngine.CollectAsync(all[i])).Count);
        KvStatistics blocks = await engine.VerifyAsync();
        Assert.Equal((1, 0, 1), (blocks.Total, blocks.Used, blocks.PeakUsed));
        ConformanceLog.Write("soak-smallest-pool", $"200 requests through a pool of 1 block of 16 tokens: all complete, {engine.GetStatistics().Steps} steps, {engine.GetStatistics().Preemptions} preemptions, 0 blocks leaked");
    }
}
