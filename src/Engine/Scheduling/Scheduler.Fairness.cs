namespace Inference.Scheduling;

/// <summary>Who is admitted next: in order of rank, but fair to tenants and, on request, to what is cached.</summary>
internal sealed partial class Scheduler
{
    // Sequences of the first class that are looked at for another order than that of rank.
    private const int Window = 64;

    private readonly Dictionary<string, TenantLoad> _tenants = [];
    private int _deadlines;

    /// <summary>
    /// The sequence to admit next: the first in rank, passing over those that wait for a prefix. Among those of its class the tenant goes first that has the fewest running, and with
    /// <see cref="SchedulerOptions.LongestPrefixFirst"/> of these the longest prefix. Neither holds once the first in rank has waited for the aging interval: nobody starves.
    /// </summary>
    private ScheduledSequence? Next()
    {
        ScheduledSequence? best = null;
        int found = 0, seen = 0;
        for (int i = 0; i < _waiting.Count && seen < Window; i++)
        {
            ScheduledSequence sequence = _waiting[i];
            if (AwaitsPrefix(sequence)) continue;
            if (best is null)
            {
                best = sequence;
                bool inOrder = _tenants.Count == 1 && !_options.LongestPrefixFirst;
                if (inOrder || _clock.GetTimestamp() - sequence.Arrived >= _agingTicks) return sequence;
                found = PrefixLength(sequence);
            }
            else if (sequence.Priority == best.Priority)
            {
                int length = PrefixLength(sequence), less = sequence.Load!.Running - best.Load!.Running;
                if (less < 0 || less == 0 && length > found) (best, found) = (sequence, length);
            }
            seen++;
        }
        return best;
    }

    private int PrefixLength(ScheduledSequence sequence) =>
        !_options.LongestPrefixFirst ? 0 : sequence.Kv.IsSwapped ? sequence.ComputedLength : _kv.FindPrefix(sequence.Kv, sequence.Tokens, PrefixLimit(sequence));

    private void Join(ScheduledSequence sequence, long now)
    {
        string tenant = sequence.Tenant ?? "";
        if (!_tenants.TryGetValue(tenant, out TenantLoad? load)) _tenants.Add(tenant, load = new TenantLoad());
        load.Sequences++;
        sequence.Load = load;
        sequence.Arrived = now;
        if (sequence.Timeout is not { } timeout) return;
        // Far more than any clock counts is never.
        sequence.Deadline = (long)Math.Min(now + timeout.TotalSeconds * _clock.TimestampFrequency, long.MaxValue / 2);
        _deadlines++;
    }

    private void Leave(ScheduledSequence sequence)
    {
        if (--sequence.Load!.Sequences == 0) _tenants.Remove(sequence.Tenant ?? "");
        if (sequence.Timeout is not null) _deadlines--;
    }

    private void AddRunning(ScheduledSequence sequence)
    {
        sequence.State = SequenceState.Running;
        sequence.Load!.Running++;
        _running.Add(sequence);
    }

    private void RemoveRunning(ScheduledSequence sequence)
    {
        _running.Remove(sequence);
        sequence.Load!.Running--;
        Withdraw(sequence, int.MaxValue);
    }

    /// <summary>Ends what has not been completed in time: nobody waits for it any more.</summary>
    private void Expire()
    {
        long now = _clock.GetTimestamp();
        Expire(_waiting, now);
        Expire(_running, now);
        Expire(_paused, now);
    }

    private void Expire(RankedList sequences, long now)
    {
        for (int i = sequences.Count - 1; i >= 0; i--)
        {
            ScheduledSequence sequence = sequences[i];
            if (sequence.Deadline > now) continue;
            Finish(sequence, SequenceEnd.Expired);
            _plan.AddExpired(sequence);
        }
    }
}
