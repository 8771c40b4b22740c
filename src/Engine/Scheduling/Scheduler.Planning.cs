using Inference.KvCache;

namespace Inference.Scheduling;

internal sealed partial class Scheduler
{
    /// <summary>
    /// Plans the next step: first every running sequence that lacks one token, then chunks of the other running ones, then new ones, each
    /// in order of rank, within the budget. The plan is empty only when there is no work. It is valid until the next call.
    /// </summary>
    public StepPlan Plan()
    {
        if (_inFlight) throw new InvalidOperationException("The last plan was neither committed nor abandoned.");
        _plan.Clear();
        _budget = _options.MaxBatchTokens;
        for (int i = 0; i < _running.Count; i++) _running[i].PlannedCount = 0;

        if (_deadlines > 0) Expire();
        PlanDecode();
        PlanPrefill();
        // What this step took away is not given to newcomers: they would be the next to be preempted.
        if (_plan.Preempted.IsEmpty) AdmitWaiting();
        Emit();
        return _plan;
    }

    /// <summary>
    /// The budget has a row for every running sequence: one is admitted only where a row is left after all that run. So whoever ranks first
    /// and still computes its prompt finds a row too.
    /// </summary>
    private void PlanDecode()
    {
        for (int i = 0; i < _running.Count && _budget > 0; i++)
            if (_running[i].UncomputedLength == 1) Schedule(i);
    }

    private void PlanPrefill()
    {
        for (int i = 0; i < _running.Count && _budget > 0; i++)
            if (_running[i].UncomputedLength > 1) Schedule(i);
    }

    /// <summary>
    /// Reserves a running sequence's next rows: as many as budget, chunk limit and available blocks allow (cached blocks are taken before
    /// anyone is preempted). Where not even one row finds a block, the last in rank is preempted; a sequence that is itself the last keeps what it has and sits this step out.
    /// </summary>
    private void Schedule(int index)
    {
        ScheduledSequence sequence = _running[index];
        int room;
        while ((room = _kv.Reservable(sequence.Kv)) == 0)
        {
            if (TryReclaim()) continue;
            if (_running.Count - 1 == index) return;
            Preempt(_running.Last);
        }
        int count = Math.Min(Math.Min(sequence.UncomputedLength, room), Math.Min(_budget, _options.MaxChunk));
        if (!_kv.TryReserve(sequence.Kv, count)) throw new InvalidOperationException($"{count} tokens were reservable for {sequence} and are not.");
        sequence.PlannedCount = count;
        _budget -= count;
    }

    /// <summary>
    /// Takes a sequence's blocks; its tokens stay. They are moved to the host, or computed again like a prompt once it is admitted again, but for those that are still cached then.
    /// </summary>
    private void Preempt(ScheduledSequence sequence)
    {
        _budget += sequence.PlannedCount;
        sequence.PlannedCount = 0;
        RemoveRunning(sequence);
        TakeBlocks(sequence);
        sequence.State = SequenceState.Waiting;
        _waiting.Add(sequence);
    }

    private void TakeBlocks(ScheduledSequence sequence)
    {
        if (PrefersSwap(sequence) && _kv.TrySwapOut(sequence.Kv)) _swapPreemptions++;
        else _kv.Retire(sequence.Kv, sequence.Tokens);
        sequence.Preemptions++;
        _preemptions++;
        _plan.AddPreempted(sequence);
    }

    /// <summary>
    /// Moving pays where it takes less time than to compute the tokens again that no other sequence keeps in memory. That they may stay cached is not counted on: blocks are short.
    /// </summary>
    private bool PrefersSwap(ScheduledSequence sequence) => _options.Preemption switch
    {
        PreemptionMode.Swap => true,
        PreemptionMode.Recompute => false,
        _ => _options.SwapCost * sequence.ComputedLength < sequence.ComputedLength - _kv.SharedTokens(sequence.Kv),
    };

    /// <summary>Admits who is next; the first that does not fit holds up the rest, or small requests would starve a large one.</summary>
    private void AdmitWaiting()
    {
        while (_budget > 0 && Next() is { } sequence)
        {
            while (_kv.FreeSlots == 0 || !HasBlocksFor(sequence))
                if (!TryReclaim()) return;
            _waiting.Remove(sequence);
            AddRunning(sequence);
            Begin(sequence);
        }
    }

    /// <summary>Lets an admitted sequence go on from what is known of its tokens, with its first rows in this step.</summary>
    private void Begin(ScheduledSequence sequence)
    {
        if (sequence.Kv.IsSwapped) Restore(sequence);
        else Attach(sequence);
        Announce(sequence);
        int count = Math.Min(sequence.UncomputedLength, Math.Min(_budget, _options.MaxChunk));
        if (!_kv.TryReserve(sequence.Kv, count)) throw new InvalidOperationException($"{count} tokens were free for {sequence} and are not.");
        sequence.PlannedCount = count;
        _budget -= count;
    }

    private void Restore(ScheduledSequence sequence)
    {
        if (!_kv.TrySwapIn(sequence.Kv, sequence.Tokens)) throw new InvalidOperationException($"There was room for {sequence} and is not.");
    }

    /// <summary>Begins with what a sibling or anyone else has computed, whichever is more.</summary>
    private void Attach(ScheduledSequence sequence)
    {
        if (!_kv.TryAdmit(sequence.Kv)) throw new InvalidOperationException($"A slot was free for {sequence} and is not.");
        int forkable = Forkable(sequence);
        if (forkable > _kv.FindPrefix(sequence.Kv, sequence.Tokens, PrefixLimit(sequence)) && _kv.TryFork(sequence.Sibling!.Kv, sequence.Kv, forkable)) _forks++;
        else _kv.AttachPrefix(sequence.Kv, sequence.Tokens, PrefixLimit(sequence));
        // Once it is done with, it must not keep the tokens of the other one alive.
        sequence.Sibling = null;
        if (sequence.Preemptions > 0) return;
        sequence.CachedLength = sequence.ComputedLength;
        _cachedTokens += sequence.CachedLength;
    }

    /// <summary>
    /// Whether the available blocks hold everything known of the newcomer and of all that run, and a token more of each: less would admit a sequence only to preempt it before it has computed its prompt.
    /// With <see cref="AdmissionMode.Forecast"/> also what they are expected to become.
    /// </summary>
    private bool HasBlocksFor(ScheduledSequence newcomer)
    {
        bool swapped = newcomer.Kv.IsSwapped;
        int found = swapped ? 0 : _kv.FindPrefix(newcomer.Kv, newcomer.Tokens, PrefixLimit(newcomer)), forkable = swapped ? 0 : Forkable(newcomer);
        for (int g = 0; g < _kv.Groups.Count; g++)
        {
            int length = KnownAndOneMore(newcomer);
            int own = swapped ? _kv.SwapInBlocks(newcomer.Kv, newcomer.Tokens, length, g)
                : forkable > found ? _kv.Groups[g].BlocksFor(length) - forkable / _kv.Groups[g].BlockSize
                : _kv.NewcomerBlocks(newcomer.Kv, found, length, g);
            long missing = own;
            for (int i = 0; i < _running.Count; i++) missing += _kv.MissingBlocks(_running[i].Kv, KnownAndOneMore(_running[i]), g);
            if (missing > _kv.AvailableBlocks(g)) return false;
            if (_options.Admission == AdmissionMode.Forecast && !WillFit(newcomer, own, g)) return false;
        }
        return true;
    }

    private static int KnownAndOneMore(ScheduledSequence sequence) => Math.Min(sequence.Length + 1, sequence.MaxLength);

    private void Emit()
    {
        for (int i = 0; i < _running.Count; i++)
            if (_running[i].PlannedCount > 0 && _running[i].IsDecoding) _plan.Add(_running[i]);
        for (int i = 0; i < _running.Count; i++)
            if (_running[i].PlannedCount > 0 && !_running[i].IsDecoding) _plan.Add(_running[i]);
        _inFlight = _plan.RowCount > 0;
    }
}
