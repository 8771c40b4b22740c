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
    /// Reserves a running sequence's next rows: as many as budget, chunk limit and available blocks allow (idle caches are evicted before
    /// anyone is preempted). Where not even one row finds a block, the last in rank is preempted; a sequence that is itself the last keeps what it has and sits this step out.
    /// </summary>
    private void Schedule(int index)
    {
        ScheduledSequence sequence = _running[index];
        int room;
        while ((room = _kv.Reservable(sequence.Kv)) == 0)
        {
            if (_running.Count - 1 == index) return;
            Preempt(_running.Last);
        }
        int count = Math.Min(Math.Min(sequence.UncomputedLength, room), Math.Min(_budget, _options.MaxChunk));
        if (!_kv.TryReserve(sequence.Kv, count)) throw new InvalidOperationException($"{count} tokens were reservable for {sequence} and are not.");
        sequence.PlannedCount = count;
        _budget -= count;
    }

    /// <summary>Takes a sequence's blocks; its tokens stay and are computed again, as a prompt, once it is admitted again.</summary>
    private void Preempt(ScheduledSequence sequence)
    {
        _budget += sequence.PlannedCount;
        sequence.PlannedCount = 0;
        _running.Remove(sequence);
        _kv.Release(sequence.Kv);
        sequence.State = SequenceState.Waiting;
        sequence.Preemptions++;
        _preemptions++;
        _waiting.Add(sequence);
        _plan.AddPreempted(sequence);
    }

    /// <summary>Admits from the head of the queue; the first that does not fit holds up the rest, or small requests would starve a large one.</summary>
    private void AdmitWaiting()
    {
        while (_budget > 0 && _waiting.Count > 0 && HasBlocksFor(_waiting[0]) && TryAdmit(_waiting[0]))
        {
            ScheduledSequence sequence = _waiting[0];
            _waiting.Remove(sequence);
            sequence.State = SequenceState.Running;
            sequence.PlannedCount = 0;
            _running.Add(sequence);
            int count = Math.Min(sequence.UncomputedLength, Math.Min(_budget, _options.MaxChunk));
            if (!_kv.TryReserve(sequence.Kv, count)) throw new InvalidOperationException($"{count} tokens were free for {sequence} and are not.");
            sequence.PlannedCount = count;
            _budget -= count;
        }
    }

    /// <summary>
    /// Whether the free blocks, and those of idle caches, hold everything known of the newcomer and of all that run, and a token more of each. Less would admit a sequence
    /// only to preempt it before it has computed its prompt.
    /// </summary>
    private bool HasBlocksFor(ScheduledSequence newcomer)
    {
        for (int g = 0; g < _kv.Groups.Count; g++)
        {
            long missing = MissingBlocks(newcomer, g);
            for (int i = 0; i < _running.Count; i++) missing += MissingBlocks(_running[i], g);
            if (missing > _kv.AvailableBlocks(g)) return false;
        }
        return true;
    }

    private int MissingBlocks(ScheduledSequence sequence, int group) =>
        _kv.MissingBlocks(sequence.Kv, Math.Min(sequence.Length + 1, sequence.MaxLength), group);

    private void Emit()
    {
        for (int i = 0; i < _running.Count; i++)
            if (_running[i].PlannedCount > 0 && _running[i].IsDecoding) _plan.Add(_running[i], _kv);
        for (int i = 0; i < _running.Count; i++)
            if (_running[i].PlannedCount > 0 && !_running[i].IsDecoding) _plan.Add(_running[i], _kv);
        _inFlight = _plan.RowCount > 0;
    }
}
