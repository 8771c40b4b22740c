namespace Inference.Cli;

/// <summary>The hub or its answer ended a pull; the message is the one line that the user reads.</summary>
internal sealed class HubException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>A failure that may pass: another try is worth it.</summary>
/// <param name="message">As for <see cref="HubException"/>, should no try succeed.</param>
/// <param name="inner">What happened below.</param>
internal sealed class TransientHubException(string message, Exception? inner = null) : IOException(message, inner)
{
    /// <summary>The server's own word on when to come back.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
