using Inference.KvCache;

namespace Inference.Scheduling;

/// <summary>
/// Requests with the same beginning compute it once: blocks that are known are shared (<see cref="KvAllocator.AttachPrefix"/>), and whoever needs blocks that a running sequence is about
/// to compute waits for them.
/// </summary>
internal sealed partial class Scheduler
{
    // Keys, in the first cache group, of blocks whose tokens a running sequence knows and has not computed yet.
    private readonly Dictionary<PrefixKey, ScheduledSequence> _pending = [];

    /// <summary>
    /// Tokens that the sequence may find computed: all but the last, whose logits are wanted. One that wants those of every prompt row finds none that it has not delivered yet.
    /// </summary>
    private static int PrefixLimit(ScheduledSequence sequence) =>
        sequence.PromptLogprobs && sequence.DeliveredLogprobs < sequence.PromptLength - 1 ? sequence.DeliveredLogprobs : sequence.Length - 1;

    /// <summary>
    /// Whether a sequence that runs in this step computes the next block that the newcomer lacks. Waiting costs the newcomer nothing: the other one is ahead of it, and is not waited for in a
    /// step in which it has no rows.
    /// </summary>
    private bool AwaitsPrefix(ScheduledSequence newcomer)
    {
        if (newcomer.Kv.IsSwapped) return false;
        if (newcomer.Sibling is { PlannedCount: > 0 } sibling && ForkLength(newcomer) > sibling.ComputedLength) return true;
        if (newcomer.Kv.Root is null || _pending.Count == 0) return false;
        // As long as the last block that was worth waiting for is on its way there is nothing to look up.
        if (newcomer.AwaitedKey is { } awaited && IsOnItsWay(awaited)) return true;
        newcomer.AwaitedKey = null;
        int limit = PrefixLimit(newcomer), size = _kv.Groups[0].BlockSize;
        for (int block = _kv.FindPrefix(newcomer.Kv, newcomer.Tokens, limit) / size; block < limit / size; block++)
        {
            PrefixKey key = _kv.Key(newcomer.Kv, newcomer.Tokens, block, 0);
            if (!IsOnItsWay(key)) break;
            newcomer.AwaitedKey = key;
        }
        return newcomer.AwaitedKey is not null;
    }

    /// <summary>Tokens that it has in common with the sibling whose cache it may fork, once that has computed them; 0 where that does not run.</summary>
    private static int ForkLength(ScheduledSequence newcomer)
    {
        if (newcomer.Sibling is not { State: SequenceState.Running } sibling) return 0;
        int limit = Math.Min(PrefixLimit(newcomer), sibling.Length);
        return newcomer.Tokens[..limit].CommonPrefixLength(sibling.Tokens);
    }

    /// <summary>Tokens that it can fork now.</summary>
    private int Forkable(ScheduledSequence newcomer)
    {
        if (newcomer.Sibling is not { State: SequenceState.Running } sibling) return 0;
        int length = Math.Min(ForkLength(newcomer), sibling.ComputedLength);
        return _kv.CanTruncate(sibling.Kv, length) ? length : 0;
    }

    private bool IsOnItsWay(PrefixKey key) => _pending.TryGetValue(key, out ScheduledSequence? owner) && owner.PlannedCount > 0;

    /// <summary>Notes the full blocks of a newly admitted sequence's known tokens that it will compute, where nobody else does.</summary>
    private void Announce(ScheduledSequence sequence)
    {
        if (sequence.Kv.Root is null) return;
        int size = _kv.Groups[0].BlockSize;
        sequence.FirstAnnounced = sequence.ComputedLength / size;
        sequence.AnnouncedEnd = sequence.Length / size;
        for (int block = sequence.FirstAnnounced; block < sequence.AnnouncedEnd; block++) _pending.TryAdd(_kv.Key(sequence.Kv, sequence.Tokens, block, 0), sequence);
    }

    /// <summary>Blocks before <paramref name="end"/> are computed, or will not be by this sequence.</summary>
    private void Withdraw(ScheduledSequence sequence, int end)
    {
        for (; sequence.FirstAnnounced < Math.Min(end, sequence.AnnouncedEnd); sequence.FirstAnnounced++)
        {
            PrefixKey key = _kv.Key(sequence.Kv, sequence.Tokens, sequence.FirstAnnounced, 0);
            if (_pending.TryGetValue(key, out ScheduledSequence? owner) && owner == sequence) _pending.Remove(key);
        }
    }
}
