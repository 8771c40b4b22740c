using System.Text.Json;

namespace Inference.Cli.Tests;

public class BenchServeTests
{
    private static readonly string[] Small = ["bench", "serve", "--device", "cpu", "--threads", "1", "--json"];

    private static async Task<JsonElement> Serve(params string[] args)
    {
        CliRun run = await CliRun.Of([.. Small, .. args]);
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        return JsonSerializer.Deserialize<JsonElement>(run.Output);
    }

    private static long Long(JsonElement json, string name) => json.GetProperty(name).GetInt64();

    [Fact]
    public async Task Counts_are_those_of_the_requests()
    {
        JsonElement json = await Serve("--requests", "6", "--input-tokens", "5-20", "--output-tokens", "2-9", "--seed", "7", "--rate", "1000", "--priorities", "0,5", "--sampling", "top-p");
        ServeRequest[] asked = new ServeLoad(6, new TokenRange(5, 20), new TokenRange(2, 9), 0, 1000, 7, [0, 5]).Draw(100);
        JsonElement[] requests = [.. json.GetProperty("requests").EnumerateArray()];
        Assert.Equal(asked.Select(r => (r.Prompt.Length, r.OutputTokens, r.Priority)),
            requests.Select(r => (r.GetProperty("prompt_tokens").GetInt32(), r.GetProperty("output_tokens").GetInt32(), r.GetProperty("priority").GetInt32())));
        Assert.Equal((6, 0), (Long(json, "completed"), Long(json, "refused")));
        Assert.Equal(asked.Sum(r => r.Prompt.Length), Long(json, "prompt_tokens"));
        Assert.Equal(asked.Sum(r => r.OutputTokens), Long(json, "output_tokens"));
        Assert.Equal(Long(json, "prompt_tokens") - Long(json, "cached_tokens"), Long(json, "computed_prompt_tokens"));
        Assert.InRange(Long(json, "running_peak"), 1, 6);
        Assert.InRange(json.GetProperty("kv_waste").GetDouble(), 0, 1);
        Assert.InRange(json.GetProperty("host_share").GetDouble(), 0, 1);
        Assert.Equal([0, 5], json.GetProperty("longest_waits").EnumerateArray().Select(w => w.GetProperty("priority").GetInt32()));
        foreach (string name in (string[])["seconds", "requests_per_second", "prompt_tokens_per_second", "output_tokens_per_second", "ttft_ms_median", "ttft_ms_p99", "tpot_ms_median", "tpot_ms_p99", "gap_ms_p99", "gap_ms_max"])
            Assert.True(json.GetProperty(name).GetDouble() > 0, name);
    }

    [Fact]
    public async Task Waste_is_the_empty_end_of_the_last_block()
    {
        // Alone: 20 prompt tokens in two blocks of 16, then one row more in each of the next two steps.
        JsonElement json = await Serve("--requests", "1", "--input-tokens", "20", "--output-tokens", "3");
        Assert.Equal(3, Long(json, "steps"));
        Assert.Equal((12 + 11 + 10) / 96.0, json.GetProperty("kv_waste").GetDouble(), 1e-9);
        Assert.Equal(1, json.GetProperty("running_mean").GetDouble());
    }

    [Fact]
    public async Task A_shared_prefix_is_computed_once()
    {
        JsonElement json = await Serve("--requests", "5", "--shared-prefix", "64", "--input-tokens", "3", "--output-tokens", "2");
        Assert.Equal(64 + 5 * 3, Long(json, "computed_prompt_tokens"));
        Assert.Equal(4 * 64, Long(json, "cached_tokens"));
        Assert.Equal(4 * 64 / (5 * 67.0), json.GetProperty("prefix_hit_rate").GetDouble(), 1e-9);
    }

    [Fact]
    public async Task Contiguous_runs_no_more_than_the_memory_reserves()
    {
        // 12 blocks hold two reservations of 96 tokens, and the six short sequences at once.
        string[] args = ["--requests", "6", "--input-tokens", "5", "--output-tokens", "20", "--context", "96", "--kv-blocks", "12"];
        Assert.Equal(2, Long(await Serve([.. args, "--contiguous"]), "running_peak"));
        Assert.Equal(6, Long(await Serve(args), "running_peak"));
    }

    [Fact]
    public async Task A_full_queue_refuses_and_the_rest_is_served()
    {
        JsonElement json = await Serve("--requests", "40", "--input-tokens", "5", "--output-tokens", "30", "--max-sequences", "1", "--max-queued", "2");
        Assert.True(Long(json, "refused") > 0);
        Assert.Equal(40, Long(json, "refused") + Long(json, "completed"));
    }

    [Fact]
    public async Task Text_has_a_line_for_each_measure()
    {
        CliRun run = await CliRun.Of("bench", "serve", "--device", "cpu", "--requests", "2", "--concurrency", "1", "--input-tokens", "4", "--output-tokens", "2");
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        foreach (string measure in (string[])["requests/s", "output tokens/s", "running, mean", "first token, p99 ms", "KV waste", "host share of step time"]) Assert.Contains(measure, run.Output);
    }

    [Fact]
    public async Task Wrong_arguments_are_one_line()
    {
        await CliRun.Fails(ExitCode.Usage, "--input-tokens must be a number of tokens or a range", [.. Small, "--input-tokens", "9-3"]);
        await CliRun.Fails(ExitCode.Usage, "--rate must be a number above 0", [.. Small, "--rate", "0"]);
        await CliRun.Fails(ExitCode.Usage, "--rates must be numbers above 0", [.. Small, "--rates", "1,-2"]);
        await CliRun.Fails(ExitCode.Usage, "--seconds needs --rates", [.. Small, "--seconds", "1"]);
        await CliRun.Fails(ExitCode.Usage, "--rates excludes --rate", [.. Small, "--rates", "1", "--rate", "1"]);
        await CliRun.Fails(ExitCode.Usage, "--contiguous needs --kv-blocks", [.. Small, "--contiguous"]);
        await CliRun.Fails(ExitCode.Usage, "need a context of 700 tokens", [.. Small, "--input-tokens", "300", "--output-tokens", "400"]);
        await CliRun.Fails(ExitCode.Usage, "hold no reservation", [.. Small, "--contiguous", "--kv-blocks", "1"]);
    }

    [Fact]
    public async Task Rates_run_in_turn_with_the_same_lengths_and_other_tokens()
    {
        string[] args = ["--requests", "8", "--input-tokens", "20-40", "--output-tokens", "2-9", "--rates", "50,2000", "--priorities", "0,5", "--max-sequences", "2", "--max-queued", "4"];
        JsonElement[] rates = [.. (await Serve(args)).GetProperty("rates").EnumerateArray()];
        Assert.Equal([50, 2000], rates.Select(r => r.GetProperty("rate").GetDouble()));
        foreach (JsonElement rate in rates)
        {
            Assert.Equal((8, 0), (Long(rate, "completed") + Long(rate, "refused"), Long(rate, "cached_tokens")));
            Assert.InRange(Long(rate, "running_peak"), 1, 2);
            double[] waits = [.. new[] { "queue_ms_p99", "ttft_ms_p99", "ttft_ms_max" }.Select(name => rate.GetProperty(name).GetDouble())];
            Assert.Equal(waits.Order(), waits);
            Assert.True(rate.GetProperty("queue_bound_ms").GetDouble() > 0 && rate.GetProperty("offered_per_second").GetDouble() > 0);
        }
        int[][] lengths = [.. rates.Select(r => r.GetProperty("requests").EnumerateArray().Select(q => q.GetProperty("prompt_tokens").GetInt32()).ToArray())];
        Assert.Equal(lengths[0], lengths[1]);

        CliRun run = await CliRun.Of(["bench", "serve", "--device", "cpu", "--input-tokens", "4", "--output-tokens", "2", "--rates", "20,40", "--seconds", "0.1"]);
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        foreach (string measure in (string[])["offered requests/s", "refused, queue full", "first token, p90 ms", "first token, longest ms", "longest wait of priority 0, ms", "preemptions (by swap)"]) Assert.Contains(measure, run.Output);
        Assert.Matches("requests served +2 +4", run.Output);
    }

    [Fact]
    public void Quantiles_are_nearest_ranks()
    {
        double[] values = [.. Enumerable.Range(1, 200).Select(i => (double)i)];
        Assert.Equal((100, 198), (ServeResult.Quantile(values, 0.5), ServeResult.Quantile(values, 0.99)));
        Assert.Equal(7, ServeResult.Quantile([7], 0.99));
        Assert.True(double.IsNaN(ServeResult.Quantile([], 0.5)));
    }

    [Fact]
    public void Arrivals_have_the_rate_and_the_seed_fixes_all()
    {
        var load = new ServeLoad(4000, new TokenRange(1, 3), new TokenRange(1, 3), 2, 50, 3, [0]);
        ServeRequest[] once = load.Draw(1000), again = load.Draw(1000);
        // 4,000 gaps of 20 ms: their mean is within 5 % at three standard deviations.
        Assert.InRange(once[^1].Arrival / once.Length, 0.019, 0.021);
        Assert.Equal(once.Select(r => (r.Arrival, string.Join(',', r.Prompt), r.OutputTokens)), again.Select(r => (r.Arrival, string.Join(',', r.Prompt), r.OutputTokens)));
        Assert.All(once, r => Assert.Equal(once[0].Prompt[..2], r.Prompt[..2]));
    }
}
