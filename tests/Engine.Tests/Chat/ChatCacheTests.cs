namespace Inference.Tests;

/// <summary>Turns that find their beginning in the cache: the logits are bitwise those of the whole prompt computed anew.</summary>
public class ChatCacheTests
{
    private static readonly string[] Said = ["And he said unto them,", " Go ye therefore into the city.", " And they answered and said,", " What is this that thou hast done?"];

    private static GenerationOptions Options(int turn) => new() { MaxTokens = 12 + 5 * turn, Temperature = turn % 2 == 0 ? 0 : 0.8f, Seed = (ulong)turn, LogitHash = true, IgnoreEos = true };

    private sealed record Turn(int[] Prompt, int[] Answer, ulong?[] Hashes, int Cached);

    private static async Task<Turn> RunAsync(InferenceEngine engine, int[] prompt, int turn)
    {
        Generation generation = engine.Generate(prompt, Options(turn), null, TestContext.Current.CancellationToken);
        List<GeneratedToken> tokens = await TestEngine.CollectAsync(generation);
        return new Turn(prompt, [.. tokens.Where(t => t.TokenId is not null).Select(t => t.TokenId!.Value)], [.. tokens.Select(t => t.LogitHash)], generation.CachedTokens);
    }

    private static async Task<List<Turn>> ConverseAsync(InferenceEngine engine, string name = "")
    {
        List<Turn> turns = [];
        int[] prompt = engine.Tokenize(name);
        for (int i = 0; i < Said.Length; i++)
        {
            prompt = [.. prompt, .. engine.Tokenize(Said[i], addSpecial: prompt.Length == 0)];
            turns.Add(await RunAsync(engine, prompt, i));
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
        List<Turn> turns = await ConverseAsync(engine);
        // All of the turn before but its last token, which nothing had followed yet.
        Assert.Equal(0, turns[0].Cached);
        for (int i = 1; i < turns.Count; i++) Assert.Equal(turns[i - 1].Prompt.Length + turns[i - 1].Answer.Length - 1, turns[i].Cached);
        EngineStatistics statistics = engine.GetStatistics();
        Assert.Equal((turns.Sum(t => t.Cached), 0, 0), (statistics.CachedTokens, statistics.KvBlocksUsed, statistics.Evictions));
        Assert.True(statistics.KvBlocksCached > 0);

        await using InferenceEngine other = await TestEngine.LoadAsync(options with { MaxBatchTokens = 37, PrefixCaching = false });
        for (int i = 0; i < turns.Count; i++) Assert.Equal(turns[i].Hashes, (await RunAsync(other, turns[i].Prompt, i)).Hashes);
        Assert.Equal((0, 0), (other.GetStatistics().CachedTokens, other.GetStatistics().KvBlocksCached));
    }

    [Fact]
    public async Task Conversations_in_a_pool_too_small_for_all_lose_blocks_and_not_their_answers()
    {
        await using InferenceEngine large = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu" });
        string[] names = ["Adam", "Seth", "Enos", "Cainan", "Jared", "Enoch"];
        List<Turn>[] expected = new List<Turn>[names.Length];
        for (int i = 0; i < names.Length; i++) expected[i] = await ConverseAsync(large, names[i]);
        await using InferenceEngine small = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu", KvBlocks = 20 });
        List<Turn>[] actual = await Task.WhenAll(names.Select(name => ConverseAsync(small, name)));
        for (int i = 0; i < names.Length; i++) Assert.Equal(expected[i].Select(t => t.Hashes), actual[i].Select(t => t.Hashes));
        EngineStatistics statistics = small.GetStatistics();
        Assert.True(statistics.Evictions > 0 && statistics.CachedTokens > 0, $"{statistics}");
        Assert.Equal(0, statistics.KvBlocksUsed);
    }

    [Fact]
    public async Task A_cancelled_turn_leaves_what_it_computed()
    {
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu" });
        int[] prompt = engine.Tokenize(string.Concat(Enumerable.Repeat(Said[0], 6)));
        await foreach (GeneratedToken token in engine.Generate(prompt, new GenerationOptions { MaxTokens = 400, IgnoreEos = true }, null, default))
            if (token.Index == 5) break;
        Turn again = await RunAsync(engine, prompt, 1);
        Assert.Equal((prompt.Length - 1) / 16 * 16, again.Cached);
    }
}
