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
}
