using Inference.Tests.Faults;
using Inference.Tests.Shared;

namespace Inference.Tests;

/// <summary>What the whole engine allocates for a token once it is warm, on its own thread and on all, readers' included.</summary>
[Collection(nameof(ProcessWide))]
public class WarmTokenTests
{
    private const int Requests = 8, Warm = 150, Window = 50, Windows = 4;

    private static GenerationOptions Options(string kind) => kind switch
    {
        "greedy" => new(),
        "sampled" => new() { Temperature = 0.8f, TopK = 40, TopP = 0.95f, Seed = 1 },
        "penalties" => new() { FrequencyPenalty = 0.5f, RepetitionPenalty = 1.1f },
        _ => new() { Stop = ["no such text", "\n\n\n"] },
    };

    [Theory]
    [InlineData("greedy", 0)]
    [InlineData("sampled", 0)]
    [InlineData("penalties", 0)]
    // Text that was held back, since a stop string might have begun, comes as a new string.
    [InlineData("stops", 8)]
    public async Task A_token_allocates_nothing(string kind, int most)
    {
        // The first round is as the second: what is kept once, as the texts of tokens are, is kept then.
        int steps = 0;
        var engineThread = new long[Windows + 1];
        var all = new long[Windows + 1];
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions
        {
            Device = "cpu",
            Threads = 2,
            ContextLength = 512,
            MaxSequences = Requests,
            WrapKernels = kernels => new FaultyKernels(kernels, name =>
            {
                if (name != "Upload") return;
                int at = ++steps - Warm;
                if (at < 0 || at % Window != 0 || at / Window > Windows) return;
                engineThread[at / Window] = GC.GetAllocatedBytesForCurrentThread();
                all[at / Window] = GC.GetTotalAllocatedBytes(precise: true);
            }),
        });
        for (int round = 0; round < 2; round++)
        {
            steps = 0;
            await Task.WhenAll(Enumerable.Range(0, Requests).Select(i => ReadAsync(engine.GenerateAsync("And it came to pass", Options(kind) with { MaxTokens = Warm + Window * Windows + 20, IgnoreEos = true, Seed = (ulong)i }))));
        }
        // In the best window no list that grows with the answer grew.
        const int tokens = Window * Requests;
        double[] own = [.. Enumerable.Range(1, Windows).Select(i => (engineThread[i] - engineThread[i - 1]) / (double)tokens)], total = [.. Enumerable.Range(1, Windows).Select(i => (all[i] - all[i - 1]) / (double)tokens)];
        string line = $"{kind}: bytes per token on the engine's thread {string.Join(' ', own.Select(b => b.ToString("F2")))}, on all threads {string.Join(' ', total.Select(b => b.ToString("F2")))}, in windows of {tokens} tokens";
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        ConformanceLog.Write("warm-token-" + kind, line);
        Assert.InRange(own.Min(), 0, most);
        // The process has other threads than those of engine and readers, and they may be at work in every window.
        Assert.InRange(total.Min(), 0, most + 1);
    }

    private static async Task<int> ReadAsync(Generation generation)
    {
        int length = 0;
        await foreach (GeneratedToken token in generation) length += token.Text.Length;
        return length;
    }
}
