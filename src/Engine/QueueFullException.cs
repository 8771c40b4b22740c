namespace Inference;

/// <summary>As many requests wait as may (<see cref="EngineOptions.MaxQueuedRequests"/>). The request was not taken; it may be tried again later.</summary>
public sealed class QueueFullException : InferenceException
{
    internal QueueFullException(int queued, int limit) : base($"{queued} requests wait already, and at most {limit} may") => Limit = limit;

    /// <summary>Requests that may wait.</summary>
    public int Limit { get; }
}
