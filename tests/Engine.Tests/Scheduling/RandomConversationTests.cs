using CsCheck;
using Inference.KvCache;
using Inference.Scheduling;

namespace Inference.Tests.Scheduling;

/// <summary>
/// Random conversations beside random requests in small pools: turns that go on, begin again somewhere or are cancelled.
/// Every turn yields the tokens that it yields alone, whatever is found of it.
/// </summary>
public class RandomConversationTests
{
    private sealed record Setup(int BlockSize, int Blocks, int MaxSequences, int Budget, int Chunk, int Groups);

    /// <summary>What one conversation does once its last turn is over.</summary>
    private sealed record Event(int Conversation, int Keep, int New, int MaxTokens, int Fate);

    private static readonly Gen<Setup> Setups =
        from cache in Gen.Select(Gen.Int[1, 6], Gen.Int[4, 24], Gen.Int[1, 5])
        from step in Gen.Select(Gen.Int[1, 40], Gen.Int[1, 20], Gen.Int[1, 2])
        select new Setup(cache.Item1, cache.Item2, cache.Item3, step.Item1, step.Item2, step.Item3);

    private static readonly Gen<Event[]> Events =
        Gen.Select(Gen.Int[0, 4], Gen.Int[0, 40], Gen.Int[0, 12], Gen.Int[0, 12], Gen.Int[0, 11]).Select(e => new Event(e.Item1, e.Item2, e.Item3, e.Item4, e.Item5)).Array[1, 40];

    private int _resumed, _evicted, _preempted;

    [Fact]
    public void Every_turn_has_its_own_tokens()
    {
        Gen.Select(Setups, Events).Sample(Run, iter: 3000);
        // Conversations in which nothing is found, or nothing lost, would prove nothing.
        Assert.True(_resumed > 1000 && _evicted > 500 && _preempted > 300, $"{_resumed} with a turn that found something, {_evicted} with an eviction, {_preempted} with a preemption");
    }

    private void Run(Setup setup, Event[] events)
    {
        var s = new Simulation(setup.BlockSize, setup.Blocks, setup.MaxSequences, 60, new SchedulerOptions { MaxBatchTokens = setup.Budget, MaxChunk = setup.Chunk, Admission = AdmissionMode.Eager }, setup.Groups);
        // The last "conversation" leaves nothing, and the one before it shares with no other one.
        PrefixKey?[] roots = [1, 1, 1, 2, null];
        var last = new ScheduledSequence?[roots.Length];
        List<ScheduledSequence> all = [];
        for (int i = 0; i < events.Length; i++)
        {
            Event e = events[i];
            ScheduledSequence? before = last[e.Conversation];
            if (before is { State: not SequenceState.Finished } && e.Fate > 2) Finish(s, before);
            if (e.Fate == 0 && before is not null) s.Scheduler.Cancel(before);
            if (e.Fate == 1 && before is not null) s.Scheduler.Discard(before);
            if (before is null or { State: SequenceState.Finished })
            {
                ReadOnlySpan<int> known = before is null ? [] : before.Tokens;
                int[] prompt = [.. known[..Math.Min(known.Length, e.Keep)], .. Enumerable.Range(1000 + i % 4 * 20, e.New)];
                if (TryAdd(s, prompt, e.MaxTokens, roots[e.Conversation]) is { } turn) all.Add(last[e.Conversation] = turn);
            }
            s.Kv.Verify();
            if (e.Fate == 2) CancelInFlight(s, last[e.Conversation]);
            else if (s.Scheduler.HasWork) s.Step();
        }
        s.Drain();
        foreach (ScheduledSequence turn in all)
        {
            if (turn.End != SequenceEnd.Cancelled) Simulation.AssertComplete(turn);
            Assert.Equal(FakeDevice.Alone(turn.Prompt, turn.MaxTokens, turn.MaxLength).Take(turn.Length), turn.Tokens.ToArray());
        }
        SchedulerStatistics statistics = s.Scheduler.Statistics;
        Assert.Equal(statistics.CachedTokens, all.Sum(turn => (long)turn.CachedLength));
        if (statistics.CachedTokens > 0) Interlocked.Increment(ref _resumed);
        if (statistics.Evictions > 0) Interlocked.Increment(ref _evicted);
        if (statistics.Preemptions > 0) Interlocked.Increment(ref _preempted);
        s.AssertNothingHeld();
        s.Kv.Verify();
    }

    private static void Finish(Simulation s, ScheduledSequence turn)
    {
        while (turn.State != SequenceState.Finished) s.Step();
    }

    private static ScheduledSequence? TryAdd(Simulation s, int[] prompt, int maxTokens, PrefixKey? root)
    {
        try
        {
            return prompt.Length == 0 ? null : s.Add(prompt, maxTokens, root: root);
        }
        catch (RequestRefusedException)
        {
            return null;
        }
    }

    private static void CancelInFlight(Simulation s, ScheduledSequence? turn)
    {
        if (!s.Scheduler.HasWork) return;
        StepPlan plan = s.Plan();
        if (turn is not null) s.Scheduler.Cancel(turn);
        s.Kv.Verify();
        s.Scheduler.Commit(plan, s.Device.Run(plan));
        s.Kv.Verify();
    }
}
