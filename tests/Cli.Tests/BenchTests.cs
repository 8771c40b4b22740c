using System.Text.Json;
using Inference.Models;

namespace Inference.Cli.Tests;

public class BenchTests
{
    [Fact]
    public async Task Run_prints_every_test_with_its_samples()
    {
        CliRun run = await CliRun.Of("bench", "run", "--device", "cpu", "--threads", "2", "--pp", "16", "--tg", "4", "--depth", "0,40", "--batch", "1,3", "--repetitions", "2", "--max-batch-tokens", "32", "--format", "json");
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        var json = JsonSerializer.Deserialize<JsonElement>(run.Output);
        JsonElement[] results = [.. json.GetProperty("results").EnumerateArray()];
        Assert.Equal([("pp16", 1, 0), ("tg4", 1, 0), ("tg4", 3, 0), ("tg4", 1, 40), ("tg4", 3, 40)],
            results.Select(r => (r.GetProperty("test").GetString(), r.GetProperty("batch").GetInt32(), r.GetProperty("depth").GetInt32())));
        foreach (JsonElement result in results)
        {
            Assert.Equal(2, result.GetProperty("threads").GetInt32());
            double[] samples = [.. result.GetProperty("samples").EnumerateArray().Select(s => s.GetDouble())];
            Assert.Equal(2, samples.Length);
            Assert.All(samples, s => Assert.True(s > 0));
            Assert.Equal(samples.Average(), result.GetProperty("tokens_per_second").GetDouble(), 0.01);
            Assert.Equal(Math.Abs(samples[0] - samples[1]) / Math.Sqrt(2), result.GetProperty("stddev").GetDouble(), 0.01);
        }
    }

    [Fact]
    public async Task Markdown_and_text_have_a_line_for_each_test()
    {
        string[] args = ["bench", "run", "--device", "cpu", "--pp", "0", "--tg", "2,3", "--repetitions", "1", "--format"];
        string[] markdown = (await CliRun.Of([.. args, "md"])).Output.TrimEnd().Split('\n'), text = (await CliRun.Of([.. args, "text"])).Output.TrimEnd().Split('\n');
        Assert.Equal(4, markdown.Length);
        Assert.All(markdown, line => Assert.Equal(11, line.Count(c => c == '|')));
        Assert.Equal(3, text.Length);
    }

    [Fact]
    public async Task Without_options_the_tests_fit_the_sample_model()
    {
        // Its context of 512 has no room for a 512-token prompt and an answer.
        List<BenchTest> plan = BenchTest.Plan([256], [128], [0], [1]);
        Assert.All(plan, t => Assert.True(t.ContextLength(512) <= 512));
        CliRun run = await CliRun.Of("bench", "run", "--device", "cpu", "--tg", "0", "--repetitions", "1", "--format", "json");
        Assert.Equal("pp256", JsonSerializer.Deserialize<JsonElement>(run.Output).GetProperty("results")[0].GetProperty("test").GetString());
    }

    [Fact]
    public async Task A_profile_splits_the_step_of_every_test()
    {
        CliRun run = await CliRun.Of("bench", "run", "--profile", "--device", "cpu", "--pp", "48", "--tg", "6", "--depth", "0,40", "--batch", "1,3", "--repetitions", "2", "--max-batch-tokens", "32", "--format", "json");
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        JsonElement[] results = [.. JsonSerializer.Deserialize<JsonElement>(run.Output).GetProperty("results").EnumerateArray()];
        Assert.Equal(5, results.Length);
        string[] products = ["norm + qkv", "attention", "attention output", "norm + gate/up", "activation + down", "norm + logits"];
        foreach (JsonElement result in results)
        {
            JsonElement profile = result.GetProperty("profile");
            var parts = profile.GetProperty("operations").EnumerateArray().ToDictionary(o => o.GetProperty("operation").GetString()!);
            Assert.Equal(["schedule", "prepare", "embed", "norm + qkv", "rope + KV write", "attention", "attention output", "norm + gate/up", "activation + down", "norm + logits", "sample", "deliver"], parts.Keys);
            Assert.Equal(profile.GetProperty("step_us").GetDouble(), parts.Values.Sum(o => o.GetProperty("us").GetDouble()), 0.01);
            Assert.Equal(1, parts.Values.Sum(o => o.GetProperty("share").GetDouble()), 1e-3);
            Assert.Equal(products, parts.Values.Where(o => o.TryGetProperty("gop_per_second", out _)).Select(o => o.GetProperty("operation").GetString()));
            Assert.All(products, name => Assert.True(parts[name].GetProperty("us").GetDouble() > 0 && parts[name].GetProperty("gb_per_second").GetDouble() > 0));
            int batch = result.GetProperty("batch").GetInt32(), steps = profile.GetProperty("steps").GetInt32(), rows = profile.GetProperty("rows").GetInt32();
            // The prompt of 48 takes steps of 32 and 16 rows, twice; a generation's steps have a row for each sequence.
            if (result.GetProperty("test").GetString() == "pp48") Assert.Equal((4, 96), (steps, rows));
            else Assert.Equal(batch * steps, rows);
            Assert.True(steps >= 2 * 2);
        }
    }

    [Theory]
    [InlineData("md", 4 + 2 * 17)]
    [InlineData("text", 3 + 2 * 15)]
    public async Task A_profile_is_a_table_for_each_test_behind_the_results(string format, int lines)
    {
        CliRun run = await CliRun.Of("bench", "run", "--profile", "--device", "cpu", "--pp", "8", "--tg", "2", "--repetitions", "1", "--format", format);
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        string[] printed = run.Output.TrimEnd('\n').Split('\n');
        Assert.Equal(2, printed.Count(l => l.Contains(" us each")));
        Assert.Equal(2, printed.Count(l => l.Contains("norm + gate/up")));
        Assert.Equal(lines, printed.Length);
    }

    [Fact]
    public async Task A_profile_counts_the_weights_and_operations_of_a_step()
    {
        using var profiler = new StepProfiler();
        await using InferenceEngine engine = await InferenceEngine.LoadAsync(ModelSource.Sample, new EngineOptions { Device = "cpu", WrapKernels = profiler.Wrap });
        StepProfile profile = profiler.Begin(_ => true);
        await engine.GenerateAsync([1, 2, 3], new GenerationOptions { MaxTokens = 1, IgnoreEos = true }).GetTextAsync();
        await engine.VerifyAsync();
        LayerWeights[] layers = engine.Model.Weights.Layers;
        Assert.Equal((1, 3L), (profile.Steps, profile.Rows));
        Assert.Equal(layers.Sum(l => l.Down.PackedBytes), profile[StepPart.ActivationDown].Bytes);
        Assert.Equal(layers.Sum(l => l.AttentionOutput.PackedBytes), profile[StepPart.AttentionOutput].Bytes);
        Assert.Equal(layers.Sum(l => l.Query.PackedBytes + l.Key.PackedBytes + l.Value.PackedBytes), profile[StepPart.Qkv].Bytes);
        Assert.Equal(layers.Sum(l => l.Gate.PackedBytes + l.Up.PackedBytes), profile[StepPart.GateUp].Bytes);
        Assert.Equal(layers.Sum(l => 2L * 3 * l.Down.Rows * l.Down.Columns), profile[StepPart.ActivationDown].Operations);
        // Only the prompt's last row has logits; its three rows see 1, 2 and 3 positions.
        Assert.Equal(2L * engine.Model.Weights.Head.Rows * engine.Model.Weights.Head.Columns, profile[StepPart.Logits].Operations);
        var shape = engine.Model.Spec.Attention;
        Assert.Equal(layers.Length * 2L * (1 + 2 + 3) * shape.Heads * (shape.KeyDim + shape.ValueDim), profile[StepPart.Attention].Operations);
    }

    [Fact]
    public async Task Ops_times_the_cases_asked_for()
    {
        CliRun run = await CliRun.Of("bench", "ops", "--device", "cpu", "--filter", "GateUp", "--format", "json");
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        var json = JsonSerializer.Deserialize<JsonElement>(run.Output);
        JsonElement result = Assert.Single(json.GetProperty("results").EnumerateArray());
        Assert.Equal("GateUpActivation", result.GetProperty("operation").GetString());
        Assert.True(result.GetProperty("gb_per_second").GetDouble() > 0);
        Assert.True(json.GetProperty("read_gb_per_second").GetDouble() > 0);
        Assert.True(json.GetProperty("peak_gflops").GetDouble() > 0);
    }

    [Fact]
    public void Decode_rate_leaves_out_prefill_and_the_head_start_of_earlier_sequences()
    {
        // A sequence whose prompt came first has three tokens at a slow pace (mixed steps) before the other one begins; then both have one a tick.
        long[] early = [0, 100, 200, 300, 301, 302, 303, 304], late = [300, 301, 302, 303, 304, 305, 306, 307];
        Assert.Equal(2000, BenchRunner.DecodeRate([early, late], 4, 1000), 1e-9);
        Assert.Equal(1000, BenchRunner.DecodeRate([late], 4, 1000), 1e-9);
        // Seen one tick apart within the same step.
        long[] jitter = [0, 100, 200, 299, 301, 302, 303, 304];
        Assert.Equal(2000, BenchRunner.DecodeRate([jitter, late], 3, 1000), 1e-9);
    }

    [Fact]
    public void Every_sequence_runs_until_the_last_one_is_timed()
    {
        var test = new BenchTest(IsPrefill: false, Tokens: 128, Depth: 1000, Batch: 16);
        // 16 prompts of 1,000 tokens in steps of at least 512 - 16 rows: the first sequence is ahead by as many tokens as there are such steps.
        int ahead = (16 * 1000 + 495) / 496;
        Assert.True(test.MaxTokens(512) >= 128 + 1 + ahead);
        Assert.Equal(129, new BenchTest(false, 128, 1000, 1).MaxTokens(512));
        Assert.Equal(0, new BenchResult(test, [5]).Deviation);
    }
}
