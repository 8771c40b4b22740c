using System.Text.Json;

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
