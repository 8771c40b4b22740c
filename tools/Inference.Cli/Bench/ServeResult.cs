namespace Inference.Cli;

/// <summary>A load that was served: what the requests saw, and the engine's counters before and after.</summary>
internal sealed class ServeResult(ServeOutcome[] outcomes, double seconds, EngineStatistics before, EngineStatistics after)
{
    private readonly ServeOutcome[] served = [.. outcomes.Where(o => !o.IsRefused)];

    public IReadOnlyList<ServeOutcome> Outcomes => outcomes;
    public double Seconds => seconds;
    public string Device => after.Device;
    public int KvBlocks => after.KvBlocksTotal;
    public int Completed => served.Length;
    public int Refused => outcomes.Length - served.Length;
    public long PromptTokens => served.Sum(o => (long)o.Request.Prompt.Length);
    public long OutputTokens => served.Sum(o => (long)o.OutputTokens);
    public long CachedTokens => served.Sum(o => (long)o.CachedTokens);

    /// <summary>Rows of prompts that were computed, again after a preemption too.</summary>
    public long ComputedPromptTokens => after.PromptRows - before.PromptRows;

    public double RequestsPerSecond => Completed / seconds;
    public double PromptTokensPerSecond => PromptTokens / seconds;
    public double OutputTokensPerSecond => OutputTokens / seconds;
    public long Steps => after.Steps - before.Steps;
    public double MeanRunning => (double)(after.SequenceSteps - before.SequenceSteps) / Steps;

    public int PeakRunning => after.RunningPeak;

    public long Preemptions => after.Preemptions - before.Preemptions;
    public long SwapPreemptions => after.SwapPreemptions - before.SwapPreemptions;

    /// <summary>Part of the prompt tokens that were not computed.</summary>
    public double PrefixHitRate => (double)CachedTokens / PromptTokens;

    /// <summary>Part of the room in the blocks in use that held no token, over all steps.</summary>
    public double KvWaste => (double)(after.KvUnusedSlotSteps - before.KvUnusedSlotSteps) / (after.KvSlotSteps - before.KvSlotSteps);

    public double StepSeconds => after.StepSeconds - before.StepSeconds;

    /// <summary>Part of the steps' time in which the device was not computing: scheduling, sampling, delivery.</summary>
    public double HostShare => 1 - (after.ForwardSeconds - before.ForwardSeconds) / StepSeconds;

    /// <summary>Seconds to the first token, at a quantile of the requests.</summary>
    public double FirstToken(double quantile) => Quantile(served.Select(o => o.FirstToken), quantile);

    /// <summary>The longest of them.</summary>
    public double LongestFirstToken => FirstToken(1);

    /// <summary>Seconds until the first step, at a quantile of the requests.</summary>
    public double Queue(double quantile) => Quantile(served.Select(o => o.Queued), quantile);

    /// <summary>
    /// Seconds that a request waits on average behind a queue that is full: as many services as may wait, of which as many pass at once as run. Saturated, this is what the limit of the queue bounds the wait
    /// to; below, queues are shorter.
    /// </summary>
    public double QueueBound(int maxQueued) => maxQueued * served.Average(o => o.Served) / MeanRunning;

    /// <summary>Requests a second that came.</summary>
    public double OfferedPerSecond => outcomes[^1].Request.Arrival is > 0 and double last ? (outcomes.Length - 1) / last : double.NaN;

    /// <summary>Seconds between tokens, at a quantile of the requests that had two.</summary>
    public double TokenGap(double quantile) => Quantile(served.Select(o => o.TokenGap).Where(double.IsFinite), quantile);

    /// <summary>Seconds that one token waited for after the one before it, at a quantile of all tokens: it shows the stalls that a mean over an answer hides.</summary>
    public double Stall(double quantile) => Quantile(served.SelectMany(o => o.Gaps), quantile);

    /// <summary>The longest time to a first token of each priority class, the lowest class first.</summary>
    public IEnumerable<(int Priority, double Seconds)> LongestWaits => served.GroupBy(o => o.Request.Priority).OrderBy(g => g.Key).Select(g => (g.Key, g.Max(o => o.FirstToken)));

    /// <summary>The smallest value that at least this part of the values do not exceed (nearest rank); NaN without values.</summary>
    public static double Quantile(IEnumerable<double> values, double quantile)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : sorted[Math.Clamp((int)Math.Ceiling(quantile * sorted.Length) - 1, 0, sorted.Length - 1)];
    }
}
