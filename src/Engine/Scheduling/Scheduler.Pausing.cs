namespace Inference.Scheduling;

/// <summary>Sequences whose reader lags: they are not computed, and in nobody's way.</summary>
internal sealed partial class Scheduler
{
    /// <summary>
    /// Plans no rows for the sequence until <see cref="Resume"/>. It keeps its blocks until a slot or a block is short; nobody is preempted or waits while a paused one holds any.
    /// </summary>
    /// <exception cref="InvalidOperationException">A step is in flight.</exception>
    public void Pause(ScheduledSequence sequence)
    {
        if (_inFlight) throw new InvalidOperationException("A sequence is paused between two steps.");
        if (sequence.State == SequenceState.Running) RemoveRunning(sequence);
        else if (sequence.State == SequenceState.Waiting) _waiting.Remove(sequence);
        else return;
        sequence.PlannedCount = 0;
        sequence.State = SequenceState.Paused;
        _paused.Add(sequence);
    }

    /// <summary>Goes on with a paused sequence, or queues it again where its blocks are gone; others stay as they are.</summary>
    /// <exception cref="InvalidOperationException">A step is in flight.</exception>
    public void Resume(ScheduledSequence sequence)
    {
        if (_inFlight) throw new InvalidOperationException("A sequence is resumed between two steps.");
        if (sequence.State != SequenceState.Paused) return;
        _paused.Remove(sequence);
        if (sequence.Kv.IsAdmitted && _running.Count < _options.MaxBatchTokens)
        {
            AddRunning(sequence);
            return;
        }
        // No row is left over for it.
        if (sequence.Kv.IsAdmitted) _kv.Retire(sequence.Kv, sequence.Tokens);
        sequence.State = SequenceState.Waiting;
        _waiting.Add(sequence);
    }

    /// <summary>Takes the blocks of the paused sequence that ranks last among those that have any; false when none has.</summary>
    private bool TryReclaim()
    {
        for (int i = _paused.Count - 1; i >= 0; i--)
        {
            if (!_paused[i].Kv.IsAdmitted) continue;
            TakeBlocks(_paused[i]);
            return true;
        }
        return false;
    }
}
