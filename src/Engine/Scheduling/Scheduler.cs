using Inference.KvCache;

namespace Inference.Scheduling;

/// <summary>
/// Chooses the rows of every step. Host-only and deterministic: the same calls and clock readings give the same plans. Not thread-safe; the
/// engine's thread owns it and calls <see cref="Plan"/>, runs the step, then <see cref="Commit"/> or <see cref="Abandon"/>.
/// </summary>
/// <remarks>
/// Every sequence has a fixed rank: its arrival, less <see cref="SchedulerOptions.AgingInterval"/> per priority class, ties in order of
/// arrival. Whoever ranks first is served first, and whoever ranks last is preempted first. So the running sequence that ranks first is never
/// preempted and has a row in every step, and a request can be overtaken only by those that arrive within a bounded time after it: nobody starves.
/// </remarks>
internal sealed partial class Scheduler
{
    private readonly KvAllocator _kv;
    private readonly SchedulerOptions _options;
    private readonly TimeProvider _clock;
    private readonly long _agingTicks;
    private readonly RankedList _waiting = new();
    private readonly RankedList _running = new();
    private readonly RankedList _paused = new();
    private readonly StepPlan _plan;
    private long _arrivals;
    private bool _inFlight;
    private int _budget;
    private long _steps, _mixedSteps, _prefillChunks, _preemptions, _swapPreemptions, _cachedTokens, _forks;

    /// <param name="kv">Cache that the scheduler alone reserves from.</param>
    /// <param name="options">Limits of a step.</param>
    /// <param name="clock">Clock of arrivals; default the system's.</param>
    public Scheduler(KvAllocator kv, SchedulerOptions? options = null, TimeProvider? clock = null)
    {
        _kv = kv;
        _options = options ?? new SchedulerOptions();
        _clock = clock ?? TimeProvider.System;
        _agingTicks = (long)(_options.AgingInterval.TotalSeconds * _clock.TimestampFrequency);
        _plan = new StepPlan(_options.MaxBatchTokens, kv);
        _ends = new ExpectedEnds(kv.MaxSequences + 1);
        _overcommitted = [.. kv.Groups.Select(Overcommitted)];
    }

    /// <summary>Sequences that wait, preempted ones included.</summary>
    public int WaitingCount => _waiting.Count;

    /// <summary>Sequences whose reader lags.</summary>
    public int PausedCount => _paused.Count;

    /// <summary>Sequences that are computed.</summary>
    public int RunningCount => _running.Count;

    /// <summary>Whether the next plan has rows.</summary>
    public bool HasWork => _waiting.Count + _running.Count > 0;

    public SchedulerStatistics Statistics
    {
        get
        {
            KvStatistics blocks = _kv.Statistics();
            return new SchedulerStatistics(_steps, _mixedSteps, _prefillChunks, _preemptions, _swapPreemptions, _cachedTokens, _forks, _kv.Evictions, blocks.Total, blocks.PeakUsed);
        }
    }

    /// <summary>Tokens that the blocks in use have room for, and how many of those places are empty behind the ends of the running sequences, the step in flight included.</summary>
    public (long Slots, long Unused) CountSlots()
    {
        long slots = 0, unused = 0;
        for (int g = 0; g < _kv.Groups.Count; g++)
        {
            CacheGroup group = _kv.Groups[g];
            slots += (long)_kv.Statistics(g).Used * group.BlockSize;
            for (int i = 0; i < _running.Count; i++) unused += group.BlocksFor(_running[i].Kv.Reserved) * group.BlockSize - _running[i].Kv.Reserved;
        }
        return (slots, unused);
    }

    /// <summary>
    /// Queues a new sequence. Its end is set here: at prompt + max tokens, or earlier where the context is full; without a limit of its own
    /// also where the pool is.
    /// </summary>
    /// <exception cref="RequestRefusedException">The prompt leaves no room in the context, or prompt + max tokens do not fit an empty pool.</exception>
    public void Add(ScheduledSequence sequence)
    {
        if (sequence.MaxLength != 0 || sequence.State != SequenceState.Waiting) throw new InvalidOperationException($"Sequence {sequence.Id} was added or cancelled before.");
        int maxLength = MaxLengthOf(sequence);
        long arrival = _arrivals++, now = _clock.GetTimestamp();
        sequence.Enter(now - sequence.Priority * _agingTicks, arrival, maxLength);
        Join(sequence, now);
        _waiting.Add(sequence);
    }

    /// <summary>
    /// Ends a sequence and gives up its blocks at once. During a step that is in flight this is safe too: nothing takes the blocks before the next
    /// plan, and the step's results for it are ignored. A finished sequence stays as it is.
    /// </summary>
    public void Cancel(ScheduledSequence sequence)
    {
        if (sequence.State != SequenceState.Finished) Finish(sequence, SequenceEnd.Cancelled);
    }

    /// <summary>Like <see cref="Cancel"/>, for a sequence whose cache cannot be trusted: nobody finds its blocks.</summary>
    public void Discard(ScheduledSequence sequence)
    {
        if (sequence.Kv.IsAdmitted) _kv.Forget(sequence.Kv);
        Cancel(sequence);
    }

    /// <summary>
    /// The step has run: every row is in the cache, the results' tokens are appended (no more than the sequence has room for), and sequences that
    /// are told to finish, have all their tokens or are full are released.
    /// </summary>
    /// <exception cref="InvalidOperationException">The plan is not in flight, or tokens are missing or not asked for; nothing has changed then.</exception>
    public void Commit(StepPlan plan, StepResults results)
    {
        CheckInFlight(plan);
        CheckResults(plan, results);
        _inFlight = false;
        _kv.ClearOperations();
        _steps++;
        if (plan.DecodeRows > 0 && plan.PrefillRows > 0) _mixedSteps++;
        _prefillChunks += plan.PartialChunks;
        for (int i = 0; i < plan.SequenceCount; i++)
        {
            ScheduledSequence sequence = plan.Sequences[i];
            if (sequence.State == SequenceState.Finished) continue;
            _kv.Commit(sequence.Kv, plan.QueryCount[i], sequence.Tokens);
            Withdraw(sequence, sequence.ComputedLength / _kv.Groups[0].BlockSize);
            sequence.DeliveredLogprobs = Math.Max(sequence.DeliveredLogprobs, Math.Min(sequence.ComputedLength, sequence.PromptLength));
            foreach (int token in results.Tokens(i)[..Math.Min(results.Tokens(i).Length, sequence.MaxLength - sequence.Length)])
            {
                _answers.Extended(sequence.GeneratedLength);
                sequence.Append(token);
            }
            if (results.IsFinished(i))
            {
                // The engine calls an answer finished that its last token cuts, too.
                if (sequence.Length < sequence.MaxLength) _answers.Ended(sequence.GeneratedLength);
                Finish(sequence, SequenceEnd.Stopped);
            }
            else if (sequence.Length == sequence.MaxLength && sequence.ComputedLength >= sequence.PromptLength) Finish(sequence, SequenceEnd.Length);
        }
    }

    /// <summary>The step has not run: its reservations are returned and its rows will be planned again.</summary>
    public void Abandon(StepPlan plan)
    {
        CheckInFlight(plan);
        _inFlight = false;
        foreach (ScheduledSequence sequence in plan.Sequences)
            if (sequence.State != SequenceState.Finished) _kv.Rollback(sequence.Kv);
    }

    /// <summary>Tokens come from sequences that were asked for one, and from all of those that go on.</summary>
    private static void CheckResults(StepPlan plan, StepResults results)
    {
        for (int i = 0; i < plan.SequenceCount; i++)
        {
            ScheduledSequence sequence = plan.Sequences[i];
            bool sampled = plan.KvLength[i] == sequence.Length && sequence.Length < sequence.MaxLength, yielded = !results.Tokens(i).IsEmpty;
            if (sequence.State == SequenceState.Finished || sampled == yielded || (sampled && results.IsFinished(i))) continue;
            throw new InvalidOperationException($"The step yielded {(yielded ? "a token that was not asked for" : "no token")} for {sequence}.");
        }
    }

    private void Finish(ScheduledSequence sequence, SequenceEnd end)
    {
        if (sequence.State == SequenceState.Running) RemoveRunning(sequence);
        else (sequence.State == SequenceState.Paused ? _paused : _waiting).Remove(sequence);
        if (sequence.Kv.IsAdmitted || sequence.Kv.IsSwapped) _kv.Retire(sequence.Kv, sequence.Tokens);
        Leave(sequence);
        sequence.State = SequenceState.Finished;
        sequence.End = end;
        sequence.PlannedCount = 0;
        sequence.Sibling = null;
    }

    private int MaxLengthOf(ScheduledSequence sequence)
    {
        int context = _kv.MaxLength, prompt = sequence.PromptLength, maxTokens = sequence.MaxTokens;
        bool bounded = maxTokens != ScheduledSequence.Unbounded;
        // A request that only computes its prompt may fill the context, one that generates needs room for a token.
        int needed = maxTokens == 0 ? prompt : prompt + 1;
        if (needed > context)
            throw new RequestRefusedException($"The prompt has {prompt} tokens and the context {context}: {(maxTokens == 0 ? "it does not fit" : "no room is left to generate")}.", prompt, maxTokens, context);

        int length = (int)Math.Min((long)prompt + maxTokens, context);
        if (bounded ? length > _kv.Capacity : needed > _kv.Capacity)
        {
            string asked = bounded ? $"prompt {prompt} + max tokens {maxTokens}{(length == context ? $", cut at the context of {context}" : "")}" : $"prompt {prompt}, no limit of tokens";
            throw new RequestRefusedException($"The request needs {(bounded ? length : needed)} tokens of KV cache ({asked}), and the empty pool holds {_kv.Capacity} ({Pools()}).", prompt, maxTokens, _kv.Capacity);
        }
        return bounded ? length : Math.Min(length, _kv.Capacity);
    }

    private string Pools() => string.Join(", ", _kv.Groups.Select(group => $"{group.Blocks} blocks of {group.BlockSize}"));

    private void CheckInFlight(StepPlan plan)
    {
        if (plan != _plan || !_inFlight) throw new InvalidOperationException("The plan is not the one in flight.");
    }
}
