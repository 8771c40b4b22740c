namespace Inference;

/// <summary>What an engine has done since it was loaded; a snapshot.</summary>
public sealed record EngineStatistics
{
    /// <summary>Device in use, with its name.</summary>
    public required string Device { get; init; }

    /// <summary>Steps run.</summary>
    public required long Steps { get; init; }

    /// <summary>Steps with rows of both prefill and decode.</summary>
    public required long MixedSteps { get; init; }

    /// <summary>Parts of prompts that did not finish their prompt.</summary>
    public required long PrefillChunks { get; init; }

    /// <summary>Times a running sequence gave its blocks back and went on later.</summary>
    public required long Preemptions { get; init; }

    /// <summary>Those of them that were moved to the swap space and back instead of computed again.</summary>
    public required long SwapPreemptions { get; init; }

    /// <summary>Samples that began with the blocks of another sample of their prompt.</summary>
    public required long Forks { get; init; }

    /// <summary>KV blocks of the pool.</summary>
    public required int KvBlocksTotal { get; init; }

    /// <summary>Most KV blocks in use at once.</summary>
    public required int KvBlocksPeak { get; init; }

    /// <summary>KV blocks in use now by requests that run.</summary>
    public required int KvBlocksUsed { get; init; }

    /// <summary>KV blocks of requests that have ended, kept for those that begin alike: anyone who needs the room gets them.</summary>
    public required int KvBlocksCached { get; init; }

    /// <summary>Cached KV blocks that lost their content since the room was needed.</summary>
    public required long Evictions { get; init; }

    /// <summary>Prompt tokens that were not computed, since another request had computed them.</summary>
    public required long CachedTokens { get; init; }

    /// <summary>Rows of prompts computed, and the time of the steps that held nothing else, in seconds.</summary>
    public required long PrefillTokens { get; init; }

    /// <inheritdoc cref="PrefillTokens"/>
    public required double PrefillSeconds { get; init; }

    /// <summary>Rows of answers computed, and the time of the steps that held nothing else, in seconds.</summary>
    public required long DecodeTokens { get; init; }

    /// <inheritdoc cref="DecodeTokens"/>
    public required double DecodeSeconds { get; init; }

    /// <summary>Milliseconds from the call of LoadAsync until the engine was ready.</summary>
    public required double LoadMilliseconds { get; init; }

    /// <summary>Milliseconds of the above that went into compiling kernels for the device; 0 on <c>cpu</c>.</summary>
    public required double CompileMilliseconds { get; init; }

    /// <summary>Sequences running and waiting now.</summary>
    public required int Running { get; init; }

    /// <inheritdoc cref="Running"/>
    public required int Waiting { get; init; }

    /// <summary>Sequences that are not computed now, since their reader lags by <see cref="EngineOptions.MaxUnreadTokens"/>.</summary>
    public required int Paused { get; init; }
}

/// <summary>Progress of loading: bytes of weights packed so far, of all.</summary>
public readonly record struct LoadProgress(long BytesDone, long BytesTotal);
