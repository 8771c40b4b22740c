namespace Inference.Cli;

/// <summary>Counts failures that may pass and waits between tries: exponential back-off with jitter, or what the server asks for.</summary>
internal sealed class Retries(HubSettings settings, Action<string>? report = null)
{
    /// <summary>Tries in a row that achieve nothing. With the pauses between, about 15 s: a router's restart is longer, but nobody watches an error grow old.</summary>
    public const int MaxTries = 6;

    private static readonly TimeSpan First = TimeSpan.FromSeconds(0.5), Longest = TimeSpan.FromSeconds(30);

    /// <summary>The hub counts requests in windows of five minutes.</summary>
    private static readonly TimeSpan LongestAsked = TimeSpan.FromMinutes(5);

    private int failures;

    /// <summary>Something was achieved: the count starts anew.</summary>
    public void Reset() => failures = 0;

    /// <summary>Returns when the next try may begin.</summary>
    /// <exception cref="HubException">There will be none.</exception>
    public async Task WaitAsync(TransientHubException failure, CancellationToken cancellation)
    {
        if (++failures >= MaxTries) throw new HubException($"{failure.Message} ({failures} tries)", failure);
        if (failure.RetryAfter > LongestAsked) throw new HubException($"{failure.Message}; it asks to come back in {Math.Ceiling(failure.RetryAfter.Value.TotalMinutes)} minutes", failure);
        // Half of the wait is random, so that clients that failed together do not come back together.
        TimeSpan backOff = First * Math.Pow(2, failures - 1);
        TimeSpan wait = (backOff < Longest ? backOff : Longest) * (0.5 + 0.5 * Random.Shared.NextDouble());
        if (failure.RetryAfter > wait) wait = failure.RetryAfter.Value;
        report?.Invoke($"try {failures + 1} in {wait.TotalSeconds:0.#} s: {failure.Message}");
        await settings.Delay(wait, cancellation).ConfigureAwait(false);
        report?.Invoke("");
    }

    /// <summary>Tries until it works.</summary>
    public static async Task<T> RunAsync<T>(HubSettings settings, Action<string>? report, Func<Task<T>> attempt, CancellationToken cancellation)
    {
        var retries = new Retries(settings, report);
        while (true)
        {
            try
            {
                return await attempt().ConfigureAwait(false);
            }
            catch (TransientHubException e)
            {
                await retries.WaitAsync(e, cancellation).ConfigureAwait(false);
            }
        }
    }
}
