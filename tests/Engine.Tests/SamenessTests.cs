using Inference.Tests.Shared;

namespace Inference.Tests;

/// <summary>
/// A request's logits are bitwise the same alone or batched, however its prompt is chunked, after preemptions, for any thread count.
/// </summary>
public class SamenessTests
{
    private const int Requests = 32;

    private static readonly string[] Starts =
        ["In the beginning", "And it came to pass", "Blessed are they that", "The LORD is my shepherd; I shall not want.", "Now the sons of", "Woe unto them", "And", "Thus saith the LORD of hosts,"];

    private static string Prompt(int i) => string.Join(' ', Enumerable.Range(0, 1 + i * 5 % 13).Select(j => Starts[(i + j) % Starts.Length]));

    private static GenerationOptions Options(int i) => new() { MaxTokens = 34 + i % 17, Temperature = i % 2 == 0 ? 0 : 0.9f, TopK = 40, Seed = (ulong)i, LogitHash = true, IgnoreEos = true };

    private static readonly Dictionary<string, ulong?[][]> Alone = [];

    /// <summary>Each request in an engine of its own making: one at a time, nothing shared.</summary>
    private static async Task<ulong?[][]> AloneAsync(EngineOptions options)
    {
        string key = $"{options.Device} {options.Simd} {options.KvType}";
        if (Alone.TryGetValue(key, out ulong?[][]? known)) return known;
        await using InferenceEngine engine = await TestEngine.LoadAsync(options with { Threads = 1, MaxSequences = 1, PrefixCaching = false });
        var hashes = new ulong?[Requests][];
        for (int i = 0; i < Requests; i++) hashes[i] = await HashesAsync(engine.GenerateAsync(Prompt(i), Options(i)));
        return Alone[key] = hashes;
    }

    private static async Task<ulong?[]> HashesAsync(Generation generation) => [.. (await TestEngine.CollectAsync(generation)).Select(t => t.LogitHash)];

    [Theory]
    [InlineData("cpu", 64, null, 16, 1, 24, KvCacheType.F16)]
    [InlineData("cpu", 64, null, 16, 2, 20, KvCacheType.F32)]
    [InlineData("cpu", 33, 7, 16, 2, 30, KvCacheType.F16)]
    [InlineData("cpu", 90, 50, 32, 2, 14, KvCacheType.F16)]
    [InlineData("cpu", 48, 31, 48, 1, 9, KvCacheType.F16)]
    [InlineData("cpu", 64, 9, 16, 2, 24, KvCacheType.Q8_0)]
    [InlineData("cpu", 50, null, 32, 2, 14, KvCacheType.Q4_0)]
    [InlineData("opencl", 64, null, 16, 2, 24, KvCacheType.F16)]
    public async Task Thirty_two_requests_in_a_tiny_pool_give_the_logits_of_each_alone(string device, int budget, int? chunk, int blockSize, int threads, int blocks, KvCacheType type)
    {
        ulong?[][] expected = await AloneAsync(new EngineOptions { Device = device, KvType = type });
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions
        {
            Device = device,
            KvType = type,
            MaxBatchTokens = budget,
            MaxPrefillChunk = chunk,
            BlockSize = blockSize,
            Threads = threads,
            KvBlocks = blocks,
            Admission = AdmissionMode.Eager,
        });
        Generation[] running = [.. Enumerable.Range(0, Requests).Select(i => engine.GenerateAsync(Prompt(i), Options(i)))];
        int tokens = 0;
        for (int i = 0; i < Requests; i++)
        {
            ulong?[] actual = await HashesAsync(running[i]);
            Assert.Equal(expected[i], actual);
            tokens += actual.Length;
        }
        EngineStatistics s = engine.GetStatistics();
        // A run without these proves nothing.
        Assert.True(s.Preemptions > 0 && s.MixedSteps > 0 && s.PrefillChunks > 0, $"{s}");
        Assert.Equal(0, s.KvBlocksUsed);
        ConformanceLog.Write($"sameness-{device}-{budget}-{chunk}-{blockSize}-{threads}-{type}",
            $"{tokens} logits rows of {Requests} requests equal alone and batched; {s.Preemptions} preemptions, {s.MixedSteps} mixed steps, {s.PrefillChunks} chunks");
    }

    /// <summary>Decode of requests that lie on the same blocks: a first one computes 350 tokens, the others, and samples forked from one of them, share a whole partition of attention.</summary>
    [Theory, InlineData("cpu", true, 2), InlineData("cpu", true, 1), InlineData("cpu", false, 2), InlineData("opencl", true, 2)]
    public async Task Requests_that_share_a_long_prefix_give_the_logits_of_each_alone(string device, bool share, int threads)
    {
        const int requests = 6, samples = 4;
        var options = new EngineOptions { Device = device, Threads = threads, SharedPrefixAttention = share };
        await using InferenceEngine alone = await TestEngine.LoadAsync(options with { Threads = 1, MaxSequences = 1, PrefixCaching = false, SharedPrefixAttention = false });
        int[] prefix = [.. Enumerable.Range(0, 350).Select(i => 3 + i * 37 % (alone.VocabularySize - 3))];
        int[] PromptOf(int request) => [.. prefix, 5 + request, 9, 7 + request];
        var expected = new ulong?[requests + samples][];
        for (int i = 0; i < requests; i++) expected[i] = await HashesAsync(alone.GenerateAsync(PromptOf(i), Options(i)));
        for (int i = 0; i < samples; i++) expected[requests + i] = await HashesAsync(alone.GenerateAsync(PromptOf(99), Options(0) with { Temperature = 1, SampleIndex = i }));

        await using InferenceEngine engine = await TestEngine.LoadAsync(options);
        Generation[] running = [.. Enumerable.Range(0, requests).Select(i => engine.GenerateAsync(PromptOf(i), Options(i))), .. engine.GenerateSamplesAsync(PromptOf(99), Options(0) with { Temperature = 1, Samples = samples })];
        for (int i = 0; i < running.Length; i++) Assert.Equal(expected[i], await HashesAsync(running[i]));
        EngineStatistics s = engine.GetStatistics();
        Assert.True(s.CachedTokens >= (requests - 1) * 336, $"{s}");
        Assert.Equal(0, s.KvBlocksUsed);
    }
}
