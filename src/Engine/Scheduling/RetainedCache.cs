using Inference.KvCache;

namespace Inference.Scheduling;

/// <summary>
/// A place in the cache that outlives its sequences. Each turn of a conversation is a sequence of its own; added with the same retained cache,
/// it computes only what follows the tokens that it has in common with the turn before. Between turns the cache is idle: others may take its
/// blocks, and the next turn then computes everything.
/// </summary>
/// <param name="id">Name in messages.</param>
internal sealed class RetainedCache(long id)
{
    /// <summary>Blocks, committed length and table slot.</summary>
    public KvSequence Kv { get; } = new(id);

    /// <summary>The turn added last: the cache holds the first <see cref="KvSequence.Committed"/> of its tokens.</summary>
    internal ScheduledSequence? Owner { get; set; }
}
