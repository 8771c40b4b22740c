using Inference.Scheduling;

namespace Inference.Tests;

/// <summary>Turns that find their beginning in the cache: the logits are bitwise those of the whole prompt computed anew.</summary>
public class ChatCacheTests
{
    private static readonly string[] Said = ["And he said unto them,", " Go ye therefore into the city.", " And they answered and said,", " What is this that thou hast done?"];

    private static GenerationOptions Options(int turn) => new() { MaxTokens = 12 + 5 * turn, Temperature = turn % 2 == 0 ? 0 : 0.8f, Seed = (ulong)turn, LogitHash = true, IgnoreEos = true };

    private sealed record Turn(int[] Prompt, int[] Answer, ulong?[] Hashes, int Cached);

    private static async Task<Turn> RunAsync(InferenceEngine engine, int[] prompt, int turn, RetainedCache? cache)
    {
        Generation generation = engine.Generate(prompt, Options(turn), cache, null, TestContext.Current.CancellationToken);
        List<GeneratedToken> tokens = await TestEngine.CollectAsync(generation);
        return new Turn(prompt, [.. tokens.Where(t => t.TokenId is not null).Select(t => t.TokenId!.Value)], [.. tokens.Select(t => t.LogitHash)], generation.CachedTokens);
    }

    private static async Task<List<Turn>> ConverseAsync(InferenceEngine engine, RetainedCache cache)
    {
        List<Turn> turns = [];
        int[] prompt = [];
        for (int i = 0; i < Said.Length; i++)
        {
            prompt = [.. prompt, .. engine.Tokenize(Said[i], addSpecial: i == 0)];
            turns.Add(await RunAsync(engine, prompt, i, cache));
            prompt = [.. prompt, .. turns[i].Answer];
        }
        return turns;
    }

    [Theory]
    [InlineData("cpu", KvCacheType.F16, 16)]
    [InlineData("cpu", KvCacheType.F32, 48)]
    [InlineData("opencl", KvCacheType.F16, 16)]
    public async Task A_turn_computes_only_new_tokens_and_has_the_logits_of_the_whole_prompt(string device, KvCacheType type, int blockSize)
    {
        var options = new EngineOptions { Device = device, KvType = type, BlockSize = blockSize };
        await using InferenceEngine engine = await TestEngine.LoadAsync(options);
        RetainedCache cache = engine.CreateCache();
        List<Turn> turns = await ConverseAsync(engine, cache);
        // All of the turn before but its last token, which nothing had followed yet.
        Assert.Equal(0, turns[0].Cached);
        for (int i = 1; i < turns.Count; i++) Assert.Equal(turns[i - 1].Prompt.Length + turns[i - 1].Answer.Length - 1, turns[i].Cached);
        EngineStatistics statistics = engine.GetStatistics();
        Assert.Equal((turns.Sum(t => t.Cached), statistics.KvBlocksUsed, 0), (statistics.CachedTokens, statistics.KvBlocksIdle, statistics.Evictions));
        Assert.True(statistics.KvBlocksIdle > 0);

        await using InferenceEngine other = await TestEngine.LoadAsync(options with { MaxBatchTokens = 37 });
        for (int i = 0; i < turns.Count; i++) Assert.Equal(turns[i].Hashes, (await RunAsync(other, turns[i].Prompt, i, cache: null)).Hashes);
    }

    [Fact]
    public async Task Conversations_in_a_pool_too_small_for_all_lose_blocks_and_not_their_answers()
    {
        await using InferenceEngine large = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu" });
        List<Turn> expected = await ConverseAsync(large, large.CreateCache());
        await using InferenceEngine small = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu", KvBlocks = 20 });
        RetainedCache[] caches = [.. Enumerable.Range(0, 6).Select(_ => small.CreateCache())];
        foreach (List<Turn> turns in await Task.WhenAll(caches.Select(cache => ConverseAsync(small, cache))))
            for (int i = 0; i < turns.Count; i++) Assert.Equal(expected[i].Hashes, turns[i].Hashes);
        EngineStatistics statistics = small.GetStatistics();
        Assert.True(statistics.Evictions > 0, $"{statistics}");
        foreach (RetainedCache cache in caches) small.Free(cache);
        await WaitUntilFreeAsync(small);
    }

    [Fact]
    public async Task A_cancelled_turn_keeps_what_it_computed_and_freeing_a_running_one_cancels_it()
    {
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu" });
        RetainedCache cache = engine.CreateCache();
        int[] prompt = engine.Tokenize(Said[0]);
        await foreach (GeneratedToken token in engine.Generate(prompt, new GenerationOptions { MaxTokens = 400, IgnoreEos = true }, cache, null, default))
            if (token.Index == 5) break;
        Turn again = await RunAsync(engine, prompt, 1, cache);
        Assert.Equal(prompt.Length - 1, again.Cached);

        Generation running = engine.Generate(prompt, new GenerationOptions { MaxTokens = 480, IgnoreEos = true }, cache, null, default);
        engine.Free(cache);
        // It may have been quick enough to finish.
        if (await Record.ExceptionAsync(() => running.GetTextAsync()) is { } error) Assert.IsAssignableFrom<OperationCanceledException>(error);
        await WaitUntilFreeAsync(engine);
    }

    private static async Task WaitUntilFreeAsync(InferenceEngine engine)
    {
        for (int i = 0; i < 500 && engine.GetStatistics().KvBlocksUsed > 0; i++) await Task.Delay(10);
        Assert.Equal(0, engine.GetStatistics().KvBlocksUsed);
    }
}
