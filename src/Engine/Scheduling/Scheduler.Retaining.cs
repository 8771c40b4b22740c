using Inference.KvCache;

namespace Inference.Scheduling;

internal sealed partial class Scheduler
{
    /// <summary>Frees a retained cache, and ends the sequence that uses it. It may be used again and is empty then.</summary>
    public void Free(RetainedCache cache)
    {
        if (cache.Owner is { } owner) Cancel(owner);
        if (cache.Kv.IsAdmitted) _kv.Release(cache.Kv);
        cache.Owner = null;
    }

    /// <summary>
    /// Makes the sequence the owner of the cache, cut back to their common tokens: positions before that are never written again. The prompt's last token
    /// is always computed, since its logits are wanted; a sequence that wants those of every row finds nothing.
    /// </summary>
    private void TakeOver(RetainedCache cache, ScheduledSequence sequence)
    {
        if (cache.Owner is { State: not SequenceState.Finished } owner) throw new InvalidOperationException($"The cache of {sequence} is in use by {owner}.");
        if (cache.Kv.IsIdle)
        {
            int common = sequence.PromptLogprobs ? 0 : cache.Owner!.Tokens[..cache.Kv.Committed].CommonPrefixLength(sequence.Prompt[..^1]);
            _kv.Resume(cache.Kv);
            _kv.Truncate(cache.Kv, _kv.CanTruncate(cache.Kv, common) ? common : 0);
            // Idle until it is admitted; parked anew, it is the last to be evicted.
            _kv.Park(cache.Kv);
        }
        cache.Owner = sequence;
    }

    /// <summary>Gives a newcomer its slot: the one of its cache, where that still has something, or an empty one.</summary>
    private bool TryAdmit(ScheduledSequence newcomer)
    {
        if (!newcomer.Kv.IsIdle) return _kv.TryAdmit(newcomer.Kv);
        _kv.Resume(newcomer.Kv);
        newcomer.CachedLength = newcomer.ComputedLength;
        _cachedTokens += newcomer.CachedLength;
        return true;
    }
}
