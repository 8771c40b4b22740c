using Inference.Scheduling;

namespace Inference.Tests.Scheduling;

/// <summary>Turns of a conversation: what the next one finds in the cache, and who comes first when blocks are short.</summary>
public class RetainedCacheTests
{
    private static int[] Ids(int start, int count) => [.. Enumerable.Range(start, count)];

    private static (ScheduledSequence Turn, RetainedCache Cache) FirstTurn(Simulation s, int prompt = 10, int maxTokens = 6)
    {
        var cache = new RetainedCache(0);
        ScheduledSequence turn = s.Add(Ids(100, prompt), maxTokens, cache: cache);
        s.Drain();
        Simulation.AssertComplete(turn);
        return (turn, cache);
    }

    [Fact]
    public void The_next_turn_computes_only_what_is_new()
    {
        var s = new Simulation(4, 20);
        (ScheduledSequence first, RetainedCache cache) = FirstTurn(s);
        // The last token was sampled and never computed.
        Assert.Equal((true, first.Length - 1), (cache.Kv.IsIdle, cache.Kv.Committed));
        ScheduledSequence second = s.Add([.. first.Tokens, 500, 501, 502], 5, cache: cache);
        StepPlan plan = s.Step();
        Assert.Equal((4, first.Length - 1), (plan.RowCount, plan.Positions[0]));
        s.Drain();
        Simulation.AssertComplete(second);
        Assert.Equal((first.Length - 1, (long)first.Length - 1), (second.CachedLength, s.Scheduler.Statistics.CachedTokens));
    }

    [Fact]
    public void The_same_prompt_again_computes_its_last_token()
    {
        var s = new Simulation(4, 20);
        (ScheduledSequence first, RetainedCache cache) = FirstTurn(s);
        ScheduledSequence again = s.Add(first.Prompt.ToArray(), 6, cache: cache);
        Assert.Equal((1, 9), (s.Plan().RowCount, again.CachedLength));
        Assert.Equal(9, cache.Kv.Committed);
    }

    [Fact]
    public void Another_beginning_finds_nothing_and_a_changed_middle_what_precedes_it()
    {
        var s = new Simulation(4, 20);
        (ScheduledSequence first, RetainedCache cache) = FirstTurn(s);
        ScheduledSequence changed = s.Add([.. first.Prompt[..7], 7, .. first.Prompt[8..]], 4, cache: cache);
        s.Drain();
        ScheduledSequence other = s.Add(Ids(200, 5), 4, cache: cache);
        s.Drain();
        Assert.Equal((7, 0), (changed.CachedLength, other.CachedLength));
        Simulation.AssertComplete(changed);
        Simulation.AssertComplete(other);
    }

    [Fact]
    public void Log_probabilities_of_the_prompt_need_every_row()
    {
        var s = new Simulation(4, 20);
        (ScheduledSequence first, RetainedCache cache) = FirstTurn(s);
        ScheduledSequence second = s.Add([.. first.Tokens, 500], 2, promptLogprobs: true, cache: cache);
        s.Drain();
        Assert.Equal(0, second.CachedLength);
        Assert.Equal(Enumerable.Range(0, second.PromptLength - 1), s.Device.LogprobRows[second]);
    }

    [Fact]
    public void An_idle_cache_is_evicted_before_anyone_is_preempted_or_waits()
    {
        var s = new Simulation(4, 8);
        (_, RetainedCache cache) = FirstTurn(s, 10, 6);
        ScheduledSequence a = s.Add(12, 4), b = s.Add(12, 4);
        Assert.Equal(2, s.Step().SequenceCount);
        Assert.False(cache.Kv.IsAdmitted);
        s.Drain();
        Assert.Equal((0L, 1L), (s.Scheduler.Statistics.Preemptions, s.Scheduler.Statistics.Evictions));
        Simulation.AssertComplete(a);
        Simulation.AssertComplete(b);
    }

    [Fact]
    public void A_turn_that_waited_too_long_for_its_cache_computes_everything()
    {
        var s = new Simulation(4, 8, maxSequences: 2);
        (ScheduledSequence first, RetainedCache cache) = FirstTurn(s, 8, 4);
        ScheduledSequence large = s.Add(30, 2);
        ScheduledSequence second = s.Add([.. first.Tokens, 500], 3, cache: cache);
        s.Step();
        Assert.Equal((SequenceState.Waiting, false), (second.State, cache.Kv.IsAdmitted));
        s.Drain();
        Assert.Equal(0, second.CachedLength);
        Simulation.AssertComplete(large);
        Simulation.AssertComplete(second);
    }

    [Fact]
    public void The_newcomers_own_cache_is_not_taken_for_it_twice()
    {
        // 5 of 8 blocks are its own; it needs all 8, and 3 are free.
        var s = new Simulation(4, 8);
        (ScheduledSequence first, RetainedCache cache) = FirstTurn(s, 17, 3);
        ScheduledSequence second = s.Add([.. first.Tokens, .. Ids(500, 28 - first.Length)], 4, cache: cache);
        s.Drain();
        Assert.Equal((first.Length - 1, 0L), (second.CachedLength, s.Scheduler.Statistics.Evictions));
        Simulation.AssertComplete(second);
    }

    [Fact]
    public void A_cancelled_turn_leaves_what_it_has_computed()
    {
        var s = new Simulation(4, 20);
        var cache = new RetainedCache(0);
        ScheduledSequence turn = s.Add(Ids(100, 10), 50, cache: cache);
        s.Step();
        StepPlan plan = s.Plan();
        s.Scheduler.Cancel(turn);
        s.Verify();
        s.Scheduler.Commit(plan, s.Device.Run(plan));
        s.Verify();
        Assert.Equal((true, 10), (cache.Kv.IsIdle, cache.Kv.Committed));
    }

    [Fact]
    public void Freeing_gives_everything_back_and_ends_the_turn_that_runs()
    {
        var s = new Simulation(4, 20);
        (ScheduledSequence first, RetainedCache cache) = FirstTurn(s);
        s.Scheduler.Free(cache);
        Assert.Equal(20, s.Kv.FreeBlocks(0));
        ScheduledSequence second = s.Add(first.Tokens.ToArray(), 4, cache: cache);
        s.Step();
        s.Scheduler.Free(cache);
        Assert.Equal((20, SequenceEnd.Cancelled, 0), (s.Kv.FreeBlocks(0), second.End, second.CachedLength));
        s.Scheduler.Free(cache);
        s.Verify();
    }

    [Fact]
    public void One_turn_at_a_time()
    {
        var s = new Simulation(4, 20);
        var cache = new RetainedCache(0);
        s.Add(Ids(100, 10), 4, cache: cache);
        Assert.Throws<InvalidOperationException>(() => s.Add(Ids(100, 11), 4, cache: cache));
    }

    [Fact]
    public void A_refused_turn_leaves_the_cache_as_it_is()
    {
        var s = new Simulation(4, 8);
        (ScheduledSequence first, RetainedCache cache) = FirstTurn(s);
        int held = cache.Kv.Committed;
        Assert.Throws<RequestRefusedException>(() => s.Add([1, .. first.Tokens], 50, cache: cache));
        Assert.Equal((held, first), (cache.Kv.Committed, cache.Owner));
    }
}
