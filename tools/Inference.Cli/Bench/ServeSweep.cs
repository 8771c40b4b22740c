namespace Inference.Cli;

/// <summary>One engine under rising rates: a column for each, up to where it is saturated and beyond.</summary>
internal sealed record ServeSweep(IReadOnlyList<ServeReport> Rates)
{
    private ServeReport First => Rates[0];

    public void WriteText(TextWriter output)
    {
        output.WriteLine($"{First.Model} on {First.Result.Device}: {First.Result.KvBlocks} KV blocks of {First.Options.BlockSize}, at most {First.Options.MaxSequences} sequences, queue of {First.Options.MaxQueuedRequests?.ToString() ?? "any length"}");
        var table = new TextTable(["requests/s", .. Rates.Select(r => $"{r.Load.Rate:0.###}>")]);
        Add("offered requests/s", r => $"{r.OfferedPerSecond:F3}");
        Add("achieved requests/s", r => $"{r.RequestsPerSecond:F3}");
        Add("achieved output tokens/s", r => $"{r.OutputTokensPerSecond:F1}");
        Add("seconds", r => $"{r.Seconds:F1}");
        Add("requests served", r => $"{r.Completed}");
        Add("refused, queue full", r => $"{r.Refused}");
        foreach (double q in (double[])[0.5, 0.9, 0.99, 1]) Add($"first token, {Name(q)} ms", r => ServeReport.Milliseconds(r.FirstToken(q)));
        foreach (double q in (double[])[0.5, 0.99]) Add($"between tokens, {Name(q)} ms", r => ServeReport.Milliseconds(r.TokenGap(q)));
        foreach (double q in (double[])[0.99, 1]) Add($"single gap, {Name(q)} ms", r => ServeReport.Milliseconds(r.Stall(q)));
        Add("queue, p99 ms", r => ServeReport.Milliseconds(r.Queue(0.99)));
        if (First.Options.MaxQueuedRequests is { } limit) Add($"mean wait behind {limit}, ms", r => ServeReport.Milliseconds(r.QueueBound(limit)));
        foreach (int priority in First.Load.Priorities.Distinct().Order())
            Add($"longest wait of priority {priority}, ms", r => ServeReport.Milliseconds(r.LongestWaits.Where(w => w.Priority == priority).Select(w => w.Seconds).FirstOrDefault(double.NaN)));
        Add("running, mean", r => $"{r.MeanRunning:F2}");
        Add("running, peak", r => $"{r.PeakRunning}");
        Add("preemptions (by swap)", r => $"{r.Preemptions} ({r.SwapPreemptions})");
        table.Write(output);
        output.Flush();

        void Add(string measure, Func<ServeResult, string> value) => table.Add([measure, .. Rates.Select(r => r.Result.Completed == 0 ? "-" : value(r.Result))]);
    }

    public void WriteJson(TextWriter output) => JsonText.Write(output, json => json.WriteArray("rates", Rates, rate =>
    {
        json.WriteStartObject();
        rate.WriteResult(json);
        json.WriteEndObject();
    }));

    private static string Name(double quantile) => quantile == 1 ? "longest" : $"p{quantile * 100:0}";
}
