namespace Inference;

/// <summary>As many requests of the same or a higher priority wait as may (<see cref="EngineOptions.MaxQueuedRequests"/>). The request was not taken; it may be tried again later.</summary>
public sealed class QueueFullException : InferenceException
{
    internal QueueFullException(int queued, int limit) : base($"{queued} requests of the same or a higher priority wait already, and at most {limit} may") => Limit = limit;

    /// <summary>Requests that may wait.</summary>
    public int Limit { get; }
}
