namespace Inference.Cli;

/// <summary>Which hub, as whom, into which cache, and how patiently. The variables are those that other programs for the hub read too.</summary>
internal sealed record HubSettings
{
    /// <summary>Address of the hub without a slash at the end; may hold a path. <c>HF_ENDPOINT</c>.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>Folder of all repositories. <c>HF_HUB_CACHE</c>, else <c>HF_HOME/hub</c>, else <c>~/.cache/huggingface/hub</c>.</summary>
    public required string CacheFolder { get; init; }

    /// <summary>Sent to the endpoint and to no other host. <c>HF_TOKEN</c>.</summary>
    public string? Token { get; init; }

    /// <summary>Longest wait for an answer to begin. 30 s: the hub answers in one, a proxy that looks for viruses takes longer.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Longest pause inside an answer before the connection counts as dead. 60 s: congested mobile links pause for half of that.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Waits between tries; tests do not.</summary>
    public Func<TimeSpan, CancellationToken, Task> Delay { get; init; } = Task.Delay;

    /// <summary>Says when <c>Retry-After</c> is, where it is a date.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Whether snapshots are links; null: where the file system can.</summary>
    public bool? SymbolicLinks { get; init; }

    /// <exception cref="UsageException">A variable cannot be used; the message names it.</exception>
    public static HubSettings Read(Func<string, string?> variable)
    {
        string endpoint = Given("HF_ENDPOINT") ?? "https://huggingface.co";
        if (!Uri.TryCreate(endpoint.TrimEnd('/'), UriKind.Absolute, out Uri? address) || address.Scheme is not ("https" or "http") || address.Query.Length + address.Fragment.Length > 0)
            throw new UsageException($"HF_ENDPOINT must be an address such as https://huggingface.co, not '{endpoint}'");
        string? token = Given("HF_TOKEN")?.Trim();
        if (token is not null && token.Any(c => c is <= ' ' or > '~'))
            throw new UsageException("HF_TOKEN holds characters that no token has");
        string home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        string hubHome = Given("HF_HOME") ?? Path.Combine(Given("XDG_CACHE_HOME") ?? Path.Combine(home, ".cache"), "huggingface");
        string cache = Given("HF_HUB_CACHE") ?? Path.Combine(hubHome, "hub");
        if (cache == "~" || cache.StartsWith("~/", StringComparison.Ordinal)) cache = home + cache[1..];
        return new HubSettings { Endpoint = address, CacheFolder = Path.GetFullPath(cache), Token = token };

        string? Given(string name) => variable(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value : null;
    }
}
