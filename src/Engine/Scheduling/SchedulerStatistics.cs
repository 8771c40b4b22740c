namespace Inference.Scheduling;

/// <summary>Counters since the scheduler was made.</summary>
/// <param name="Steps">Committed steps.</param>
/// <param name="MixedSteps">Committed steps with both decode and prefill rows.</param>
/// <param name="PrefillChunks">Chunks that did not cover all that their sequence had left to compute: a prompt in three steps counts 2.</param>
/// <param name="Preemptions">Times that a sequence lost its blocks.</param>
/// <param name="SwapPreemptions">Those of them that were moved to the host's swap space.</param>
/// <param name="CachedTokens">Prompt tokens that were computed already when their sequence was admitted.</param>
/// <param name="Forks">Sequences that began with the blocks of a sibling.</param>
/// <param name="Evictions">Cached blocks that were taken for something else.</param>
/// <param name="KvBlocksTotal">Blocks of all cache groups.</param>
/// <param name="KvBlocksPeak">Most blocks in use at any time.</param>
internal readonly record struct SchedulerStatistics(long Steps, long MixedSteps, long PrefillChunks, long Preemptions, long SwapPreemptions, long CachedTokens, long Forks, long Evictions, int KvBlocksTotal, int KvBlocksPeak);
