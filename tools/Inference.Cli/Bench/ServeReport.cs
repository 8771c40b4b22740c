using System.Text.Json;

namespace Inference.Cli;

/// <summary>A result of <c>bench serve</c> as a list for people or as one JSON object.</summary>
internal sealed record ServeReport(string Model, ServeLoad Load, EngineOptions Options, bool Contiguous, ServeResult Result)
{
    private int? MaxQueued => Options.MaxQueuedRequests;

    public void WriteText(TextWriter output)
    {
        ServeResult r = Result;
        var table = new TextTable("measure", "value>");
        table.Add("model", Model);
        table.Add("device", r.Device);
        table.Add("KV blocks", $"{r.KvBlocks} of {Options.BlockSize}{(Contiguous ? ", contiguous" : "")}");
        table.Add("requests", $"{r.Completed}{(r.Refused > 0 ? $", {r.Refused} refused" : "")}");
        table.Add("seconds", $"{r.Seconds:F2}");
        table.Add("requests/s", $"{r.RequestsPerSecond:F3}");
        table.Add("prompt tokens/s", $"{r.PromptTokensPerSecond:F1}");
        table.Add("output tokens/s", $"{r.OutputTokensPerSecond:F1}");
        table.Add("running, mean", $"{r.MeanRunning:F2}");
        table.Add("running, peak", $"{r.PeakRunning}");
        table.Add("first token, median ms", Milliseconds(r.FirstToken(0.5)));
        table.Add("first token, p99 ms", Milliseconds(r.FirstToken(0.99)));
        table.Add("between tokens, median ms", Milliseconds(r.TokenGap(0.5)));
        table.Add("between tokens, p99 ms", Milliseconds(r.TokenGap(0.99)));
        table.Add("single gap, p99 ms", Milliseconds(r.Stall(0.99)));
        table.Add("single gap, longest ms", Milliseconds(r.Stall(1)));
        table.Add("preemptions", $"{r.Preemptions} ({r.SwapPreemptions} by swap)");
        table.Add("prompt tokens computed", $"{r.ComputedPromptTokens} of {r.PromptTokens}");
        table.Add("prefix hit rate", $"{r.PrefixHitRate:P2}");
        table.Add("KV waste", $"{r.KvWaste:P2}");
        table.Add("host share of step time", $"{r.HostShare:P2}");
        if (MaxQueued is { } limit)
        {
            table.Add("queue, p99 ms", Milliseconds(r.Queue(0.99)));
            table.Add($"mean wait behind {limit}, ms", Milliseconds(r.QueueBound(limit)));
        }
        if (Load.Priorities.Length > 1)
            foreach ((int priority, double seconds) in r.LongestWaits) table.Add($"longest wait of priority {priority}, ms", Milliseconds(seconds));
        table.Write(output);
        output.Flush();
    }

    public void WriteJson(TextWriter output) => JsonText.Write(output, WriteResult);

    /// <summary>The result's members, into an object that is open.</summary>
    public void WriteResult(Utf8JsonWriter json)
    {
        ServeResult r = Result;
        json.WriteString("model", Model);
        json.WriteString("device", r.Device);
        json.WriteNumber("kv_blocks", r.KvBlocks);
        json.WriteNumber("block_size", Options.BlockSize);
        json.WriteBoolean("contiguous", Contiguous);
        json.WriteNumber("max_sequences", Options.MaxSequences);
        json.WriteNumber("seed", Load.Seed);
        json.WriteReal("rate", Load.Rate ?? double.NaN);
        json.WriteReal("offered_per_second", r.OfferedPerSecond);
        json.WriteNumber("completed", r.Completed);
        json.WriteNumber("refused", r.Refused);
        json.WriteReal("seconds", r.Seconds);
        json.WriteReal("requests_per_second", r.RequestsPerSecond);
        json.WriteNumber("prompt_tokens", r.PromptTokens);
        json.WriteNumber("output_tokens", r.OutputTokens);
        json.WriteNumber("cached_tokens", r.CachedTokens);
        json.WriteNumber("computed_prompt_tokens", r.ComputedPromptTokens);
        json.WriteReal("prompt_tokens_per_second", r.PromptTokensPerSecond);
        json.WriteReal("output_tokens_per_second", r.OutputTokensPerSecond);
        json.WriteNumber("steps", r.Steps);
        json.WriteReal("running_mean", r.MeanRunning);
        json.WriteNumber("running_peak", r.PeakRunning);
        json.WriteReal("ttft_ms_median", r.FirstToken(0.5) * 1000);
        json.WriteReal("ttft_ms_p99", r.FirstToken(0.99) * 1000);
        json.WriteReal("ttft_ms_max", r.LongestFirstToken * 1000);
        json.WriteReal("queue_ms_p99", r.Queue(0.99) * 1000);
        json.WriteReal("queue_bound_ms", MaxQueued is { } limit ? r.QueueBound(limit) * 1000 : double.NaN);
        json.WriteReal("tpot_ms_median", r.TokenGap(0.5) * 1000);
        json.WriteReal("tpot_ms_p99", r.TokenGap(0.99) * 1000);
        json.WriteReal("gap_ms_p99", r.Stall(0.99) * 1000);
        json.WriteReal("gap_ms_max", r.Stall(1) * 1000);
        json.WriteNumber("preemptions", r.Preemptions);
        json.WriteNumber("swap_preemptions", r.SwapPreemptions);
        json.WriteReal("prefix_hit_rate", r.PrefixHitRate);
        json.WriteReal("kv_waste", r.KvWaste);
        json.WriteReal("step_seconds", r.StepSeconds);
        json.WriteReal("host_share", r.HostShare);
        json.WriteArray("longest_waits", r.LongestWaits, wait =>
        {
            json.WriteStartObject();
            json.WriteNumber("priority", wait.Priority);
            json.WriteReal("ttft_ms", wait.Seconds * 1000);
            json.WriteEndObject();
        });
        json.WriteArray("requests", r.Outcomes, outcome => WriteOutcome(json, outcome));
    }

    private static void WriteOutcome(Utf8JsonWriter json, ServeOutcome outcome)
    {
        json.WriteStartObject();
        json.WriteNumber("prompt_tokens", outcome.Request.Prompt.Length);
        json.WriteNumber("output_tokens", outcome.OutputTokens);
        json.WriteNumber("cached_tokens", outcome.CachedTokens);
        json.WriteNumber("priority", outcome.Request.Priority);
        json.WriteReal("arrival_ms", outcome.Request.Arrival * 1000);
        json.WriteReal("ttft_ms", outcome.FirstToken * 1000);
        json.WriteReal("tpot_ms", outcome.TokenGap * 1000);
        json.WriteReal("queue_ms", outcome.Queued * 1000);
        json.WriteEndObject();
    }

    public static string Milliseconds(double seconds) => double.IsNaN(seconds) ? "-" : $"{seconds * 1000:F1}";
}
