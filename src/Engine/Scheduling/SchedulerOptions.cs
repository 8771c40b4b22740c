namespace Inference.Scheduling;

/// <summary>Limits of a step. Sequences, context and blocks are those of the allocator.</summary>
internal sealed record SchedulerOptions
{
    /// <summary>
    /// Token rows of a step at most. Default 512: enough rows for a prefill step to be bound by arithmetic, few enough that a decode row
    /// beside them is not held up for long.
    /// </summary>
    public int MaxBatchTokens
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(MaxBatchTokens), value, "A step needs at least 1 token.");
    } = 512;

    /// <summary>Rows of one sequence in a step at most. Default unlimited: the budget of the step limits it already.</summary>
    public int MaxChunk
    {
        get;
        init => field = value >= 1 ? value : throw new ArgumentOutOfRangeException(nameof(MaxChunk), value, "A chunk needs at least 1 token.");
    } = int.MaxValue;

    /// <summary>
    /// Waiting time that is worth one priority class: a request goes before every one of the class above that arrived later than this after it.
    /// Default 10 s, some multiple of what a request takes, so that classes count among what arrives together and nobody waits for ever.
    /// </summary>
    public TimeSpan AgingInterval
    {
        get;
        init => field = value >= TimeSpan.Zero && value <= TimeSpan.FromDays(1) ? value : throw new ArgumentOutOfRangeException(nameof(AgingInterval), value, "Aging takes from 0 to 1 day.");
    } = TimeSpan.FromSeconds(10);

    /// <summary>When a waiting sequence is admitted. Default <see cref="AdmissionMode.Forecast"/>.</summary>
    public AdmissionMode Admission { get; init; } = AdmissionMode.Forecast;

    /// <summary>How a sequence gives up its blocks.</summary>
    public PreemptionMode Preemption { get; init; } = PreemptionMode.Cheapest;

    /// <summary>
    /// Time to move a token's keys and values to the host and back, in units of the time to compute one token of a prompt. Default 0.1: a copy of some ten kilobytes both ways takes a
    /// tenth of the arithmetic of a small model's token; the engine estimates it from model and device.
    /// </summary>
    public double SwapCost
    {
        get;
        init => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(SwapCost), value, "A cost is 0 or more.");
    } = 0.1;

    /// <summary>
    /// Whether, of the first of a class, the one that finds the longest prefix is admitted first, as long as the very first has not waited for <see cref="AgingInterval"/>. Default false: first come, first
    /// served. It computes less where many prompts share a few beginnings and not all of those stay cached.
    /// </summary>
    public bool LongestPrefixFirst { get; init; }
}
