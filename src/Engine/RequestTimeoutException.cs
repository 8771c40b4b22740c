namespace Inference;

/// <summary>An answer was not complete within <see cref="GenerationOptions.Timeout"/>; what was made of it in time has been delivered.</summary>
public sealed class RequestTimeoutException : InferenceException
{
    internal RequestTimeoutException(TimeSpan timeout) : base($"the answer was not complete within {timeout.TotalSeconds:0.###} s") => Timeout = timeout;

    /// <summary>The time that it had.</summary>
    public TimeSpan Timeout { get; }
}
