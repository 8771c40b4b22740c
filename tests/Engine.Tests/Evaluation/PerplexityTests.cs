using System.Text.Json;
using Inference.Evaluation;
using Inference.Tests.Shared;

namespace Inference.Tests.Evaluation;

/// <summary>Perplexity runs of the sample model against PyTorch's figures and against the engine's own log probabilities.</summary>
public class PerplexityTests
{
    private const string Text = "And it came to pass in those days, that there went out a decree. The LORD is my shepherd; I shall not want. Blessed are they that mourn: for they shall be comforted.";

    private static Task<InferenceEngine> LoadAsync(EngineOptions options) => TestEngine.LoadAsync(options with { KvBlocks = 32 });

    private static TextWindows Windows(InferenceEngine engine, string text, int context) =>
        new(engine.Tokenizer.Encode(text, addSpecial: false, parseSpecial: false), engine.Tokenizer.BosId, context);

    private static PerplexityResult Run(InferenceEngine engine, EngineOptions options, TextWindows windows)
    {
        using var run = new PerplexityRun(engine, options, windows, divergence: false);
        return run.Run(null, null, _ => { }, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Held_out_text_has_the_golden_perplexity()
    {
        string text = File.ReadAllText(SharedData.Require("models", "kjv-5m", "heldout.txt"));
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(SharedData.Require("models", "kjv-5m", "golden.json")));
        JsonElement golden = json.RootElement.GetProperty("perplexity");
        var options = new EngineOptions { Device = "cpu", Exact = true };
        await using InferenceEngine engine = await LoadAsync(options);
        TextWindows windows = Windows(engine, text, golden.GetProperty("context").GetInt32());
        Assert.Equal(golden.GetProperty("windows").GetInt32(), windows.Count);
        Assert.Equal(golden.GetProperty("predicted_tokens").GetInt32(), windows.Predictions);
        PerplexityResult result = Run(engine, options, windows);
        Assert.Equal(golden.GetProperty("mean_nll").GetDouble(), result.Nll.Mean, 1e-5);
        Assert.Equal(golden.GetProperty("perplexity").GetDouble(), result.Perplexity, 5e-4);
        ConformanceLog.Write("perplexity-exact", $"kjv-5m held-out text {result.Perplexity:F4}, PyTorch {golden.GetProperty("perplexity").GetDouble():F4}");
    }

    [Theory]
    [InlineData(64, 512)]
    [InlineData(64, 7)]
    [InlineData(9, 512)]
    [InlineData(9, 20)]
    [InlineData(2, 3)]
    public async Task Measures_are_those_of_the_prompt_log_probabilities(int context, int maxBatchTokens)
    {
        var options = new EngineOptions { Device = "cpu", MaxBatchTokens = maxBatchTokens };
        await using InferenceEngine engine = await LoadAsync(options);
        TextWindows windows = Windows(engine, Text, context);
        double[] nll = new double[windows.Predictions];
        int n = 0;
        for (int w = 0; w < windows.Count; w++)
        {
            Generation generation = engine.GenerateAsync(windows[w].ToArray(), new GenerationOptions { MaxTokens = 1, PromptLogprobs = 0 });
            await TestEngine.CollectAsync(generation);
            foreach (TokenLogprobs? logprob in generation.PromptLogprobs!.Skip(1)) nll[n++] = -logprob!.Logprob;
        }
        PerplexityResult result = Run(engine, options, windows);
        Assert.Equal(nll.Length, result.Nll.Count);
        double mean = nll.Average(), variance = nll.Sum(x => (x - mean) * (x - mean)) / (n - 1);
        Assert.Equal(mean, result.Nll.Mean, 1e-6);
        Assert.Equal(nll.Max(), result.Nll.Max, 1e-5);
        Assert.Equal(Math.Sqrt(variance / n), result.Nll.StandardError, 1e-6);
    }

    [Fact]
    public async Task Windows_in_one_step_give_the_bits_of_each_alone()
    {
        var options = new EngineOptions { Device = "cpu" };
        await using InferenceEngine engine = await LoadAsync(options);
        TextWindows windows = Windows(engine, Text, 10);
        double expected = Run(engine, options, windows).Nll.Mean;
        foreach (int rows in (int[])[1, 5, 9, 18, 100])
            Assert.Equal(expected, Run(engine, options with { MaxBatchTokens = rows, Threads = 1 }, windows).Nll.Mean);
    }

    [Fact]
    public async Task Progress_counts_windows_and_cancelling_ends_the_run()
    {
        var options = new EngineOptions { Device = "cpu", MaxBatchTokens = 20 };
        await using InferenceEngine engine = await LoadAsync(options);
        TextWindows windows = Windows(engine, Text, 10);
        using var run = new PerplexityRun(engine, options, windows, divergence: false);
        List<int> done = [];
        run.Run(null, null, done.Add, TestContext.Current.CancellationToken);
        Assert.Equal(windows.Count, done[^1]);
        using var cancelled = new CancellationTokenSource();
        Assert.Throws<OperationCanceledException>(() => run.Run(null, null, _ => cancelled.Cancel(), cancelled.Token));
    }
}
