using Inference.Tests.Shared;

namespace Inference.Tests;

/// <summary>
/// Random schedules on the sample model: sizes, chunks, threads, prefix hits, preemptions by recomputation and by swap, forks, cancellations, readers that lag. Every logits row of every request has the
/// hash that it has when the request runs alone in an engine that shares nothing.
/// </summary>
public sealed class RandomSamenessTests : IAsyncDisposable
{
    private const int Requests = 24, SchedulesPerEngine = 6;

    /// <summary>A few in CI; 10,000 once: INFERENCE_SAMENESS=10000.</summary>
    private static readonly int Schedules = int.TryParse(Environment.GetEnvironmentVariable("INFERENCE_SAMENESS"), out int n) ? n : 60;

    /// <summary>Several processes with seeds of their own share a long run: INFERENCE_SAMENESS_SEED.</summary>
    private static readonly int Seed = int.TryParse(Environment.GetEnvironmentVariable("INFERENCE_SAMENESS_SEED"), out int n) ? n : 7;

    private static readonly string[] Beginnings =
    [
        "In the beginning God created the heaven and the earth. And the earth was without form, and void; and darkness was upon the face of the deep.",
        "In the beginning God created the heaven and the earth. And he said unto them, Go ye into all the world,",
        "The LORD is my shepherd; I shall not want. He maketh me to lie down in green pastures:",
        "And",
    ];

    private static readonly string[] Ends = ["", " Behold", " And it came to pass in those days that", " Thus saith the LORD of hosts", " and"];

    private sealed record Answer(ulong?[] Hashes, string PromptLogprobs);

    private readonly Dictionary<(int, int), Answer> alone = [];
    private InferenceEngine? single;
    private readonly int[] threads = new int[3];
    private long done, rows, hits, evictions, recomputed, swapped, forks, mixed, chunks, cancelled;

    private static string Prompt(int request) => Beginnings[request % Beginnings.Length] + string.Concat(Enumerable.Repeat(Ends[request / 4 % Ends.Length], 1 + request / 8));

    private static GenerationOptions Options(int request, int sample) => new()
    {
        MaxTokens = 10 + request * 7 % 45,
        Temperature = request % 2 == 0 ? 0 : 0.9f,
        TopK = 40,
        Seed = (ulong)request,
        SampleIndex = sample,
        IgnoreEos = true,
        LogitHash = true,
        PromptLogprobs = request % 6 == 5 ? 2 : null,
        CacheSalt = request % 8 == 7 ? "another tenant" : null,
        Tenant = (request % 3).ToString(),
        Priority = request % 5 - 2,
    };

    private async Task<Answer> AloneAsync(int request, int sample)
    {
        if (alone.TryGetValue((request, sample), out Answer? known)) return known;
        single ??= await TestEngine.LoadAsync(new EngineOptions { Device = "cpu", Threads = 1, MaxSequences = 1, PrefixCaching = false });
        return alone[(request, sample)] = await CollectAsync(single.GenerateAsync(Prompt(request), Options(request, sample)), int.MaxValue);
    }

    private static async Task<Answer> CollectAsync(Generation generation, int most)
    {
        List<ulong?> hashes = [];
        await foreach (GeneratedToken token in generation)
        {
            hashes.Add(token.LogitHash);
            if (hashes.Count == most) break;
        }
        return new Answer([.. hashes], string.Join(' ', generation.PromptLogprobs?.Select(p => p?.Logprob.ToString("R")) ?? []));
    }

    [Fact]
    public async Task Every_row_of_random_schedules_is_that_of_the_request_alone()
    {
        var random = new Random(Seed);
        while (done < Schedules)
        {
            EngineOptions options = Setup(random);
            await using InferenceEngine engine = await TestEngine.LoadAsync(options);
            int batch = (int)Math.Min(SchedulesPerEngine, Schedules - done);
            for (int i = 0; i < batch; i++) await RunAsync(engine, random);
            Count(engine.GetStatistics());
            threads[options.Threads] += batch;
            done += batch;
            // A run that is interrupted has shown what it has shown.
            ConformanceLog.Write(Seed == 7 ? "sameness-random" : $"sameness-random-{Seed}", Events);
        }
        string events = Events;
        TestContext.Current.TestOutputHelper?.WriteLine(events);
        // Schedules in which one of these never happens prove nothing about it.
        Assert.True(new[] { hits, evictions, recomputed, swapped, forks, mixed, chunks, cancelled }.Min() > 0, events);
    }

    private string Events => $"{rows} logits rows of {done} schedules equal alone and together: {hits} prompt tokens found, {evictions} blocks evicted, {recomputed} preemptions by recomputation, " +
        $"{swapped} by swap, {forks} forks, {cancelled} cancellations, {mixed} mixed steps, {chunks} chunks; {threads[1]} schedules on one thread, {threads[2]} on two";

    private static EngineOptions Setup(Random random)
    {
        int blockSize = random.Next(3) == 0 ? 32 : 16;
        return new EngineOptions
        {
            Device = "cpu",
            Threads = random.Next(1, 3),
            BlockSize = blockSize,
            // The longest request needs 9 blocks of 16.
            KvBlocks = random.Next(144, 280) / blockSize + blockSize / 32,
            ContextLength = 144,
            MaxBatchTokens = random.Next(12, 100),
            MaxPrefillChunk = random.Next(2) == 0 ? random.Next(3, 60) : null,
            MaxSequences = random.Next(2, 12),
            MaxUnreadTokens = random.Next(4, 40),
            Preemption = (PreemptionMode)random.Next(3),
            Admission = random.Next(4) == 0 ? AdmissionMode.Forecast : AdmissionMode.Eager,
            SwapMemoryBytes = random.Next(4) == 0 ? 0 : 64 << 20,
            PrefixCaching = random.Next(5) > 0,
            LongestPrefixFirst = random.Next(2) == 0,
        };
    }

    private async Task RunAsync(InferenceEngine engine, Random random)
    {
        List<(int Request, int Sample, int Most, Task<Answer> Answer)> running = [];
        for (int i = random.Next(3, 10); i > 0; i--)
        {
            int request = random.Next(Requests), samples = random.Next(4) == 0 ? random.Next(2, 5) : 1;
            IReadOnlyList<Generation> generations = engine.GenerateSamplesAsync(Prompt(request), Options(request, 0) with { Samples = samples });
            for (int sample = 0; sample < samples; sample++)
            {
                int most = random.Next(8) == 0 ? random.Next(1, 5) : int.MaxValue;
                if (most < int.MaxValue) cancelled++;
                running.Add((request, sample, most, CollectAsync(generations[sample], most)));
            }
            // Some come while the others run.
            if (random.Next(3) == 0) await Task.WhenAny(running[random.Next(running.Count)].Answer, Task.Delay(random.Next(4)));
        }
        foreach ((int request, int sample, int most, Task<Answer> task) in running)
        {
            Answer expected = await AloneAsync(request, sample), actual = await task;
            Assert.Equal(expected.Hashes.Take(most), actual.Hashes);
            Assert.Equal(expected.PromptLogprobs, actual.PromptLogprobs);
            rows += actual.Hashes.Length;
        }
    }

    private void Count(EngineStatistics s)
    {
        hits += s.CachedTokens;
        evictions += s.Evictions;
        recomputed += s.Preemptions - s.SwapPreemptions;
        swapped += s.SwapPreemptions;
        forks += s.Forks;
        mixed += s.MixedSteps;
        chunks += s.PrefillChunks;
    }

    public async ValueTask DisposeAsync()
    {
        if (single is not null) await single.DisposeAsync();
    }
}
