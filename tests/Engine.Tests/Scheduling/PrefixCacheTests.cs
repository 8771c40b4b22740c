using Inference.Scheduling;

namespace Inference.Tests.Scheduling;

/// <summary>Requests that begin alike: what the later ones find, what they wait for, and who comes first when blocks are short.</summary>
public class PrefixCacheTests
{
    private static int[] Ids(int start, int count) => [.. Enumerable.Range(start, count)];

    private static ScheduledSequence First(Simulation s, int prompt = 10, int maxTokens = 6)
    {
        ScheduledSequence first = s.Add(Ids(100, prompt), maxTokens, root: 1);
        s.Drain();
        Simulation.AssertComplete(first);
        return first;
    }

    [Fact]
    public void The_next_turn_computes_only_what_is_new()
    {
        var s = new Simulation(4, 20);
        ScheduledSequence first = First(s);
        // The last token was sampled and never computed.
        ScheduledSequence second = s.Add([.. first.Tokens, 500, 501, 502], 5, root: 1);
        StepPlan plan = s.Step();
        Assert.Equal((4, first.Length - 1), (plan.RowCount, plan.Positions[0]));
        s.Drain();
        Simulation.AssertComplete(second);
        Assert.Equal((first.Length - 1, (long)first.Length - 1), (second.CachedLength, s.Scheduler.Statistics.CachedTokens));
    }

    [Fact]
    public void The_same_prompt_again_computes_its_last_block_and_one_token_at_least()
    {
        var s = new Simulation(4, 20);
        ScheduledSequence ten = First(s), again = s.Add(ten.Prompt.ToArray(), 6, root: 1), eight = s.Add(ten.Prompt[..8].ToArray(), 6, root: 1);
        StepPlan plan = s.Step();
        Assert.Equal([2, 4], plan.QueryCount.ToArray());
        Assert.Equal((8, 4), (again.CachedLength, eight.CachedLength));
        s.Drain();
        Simulation.AssertComplete(again);
        Simulation.AssertComplete(eight);
    }

    [Fact]
    public void Another_beginning_finds_nothing_and_a_changed_middle_what_precedes_it()
    {
        var s = new Simulation(4, 20);
        ScheduledSequence first = First(s);
        ScheduledSequence changed = s.Add([.. first.Prompt[..7], 7, .. first.Prompt[8..]], 4, root: 1), other = s.Add(Ids(200, 9), 4, root: 1);
        ScheduledSequence tenant = s.Add(first.Prompt.ToArray(), 4, root: 2), nobody = s.Add(first.Prompt.ToArray(), 4);
        s.Drain();
        Assert.Equal((4, 0, 0, 0), (changed.CachedLength, other.CachedLength, tenant.CachedLength, nobody.CachedLength));
        Assert.All([changed, other, tenant, nobody], Simulation.AssertComplete);
    }

    [Fact]
    public void Sixteen_at_once_compute_the_prefix_once()
    {
        var s = new Simulation(4, 200, maxSequences: 16, options: new SchedulerOptions { MaxBatchTokens = 32 });
        ScheduledSequence[] all = [.. Enumerable.Range(0, 16).Select(i => s.Add([.. Ids(100, 80), 500 + i], 5, root: 1))];
        int prefill = 0;
        while (s.Scheduler.HasWork) prefill += s.Step().PrefillRows;
        Assert.Equal(80 + 16, prefill);
        Assert.All(all, Simulation.AssertComplete);
        Assert.Equal([0, .. Enumerable.Repeat(80, 15)], all.Select(a => a.CachedLength));
    }

    [Fact]
    public void Others_are_admitted_past_those_that_wait_for_a_prefix()
    {
        var s = new Simulation(4, 200, options: new SchedulerOptions { MaxBatchTokens = 12, MaxChunk = 8 });
        ScheduledSequence a = s.Add(Ids(100, 40), 3, root: 1), b = s.Add(Ids(100, 40), 3, root: 1), c = s.Add(Ids(300, 4), 3, root: 1);
        Assert.Equal([a, c], s.Step().Sequences.ToArray());
        Assert.Equal(SequenceState.Waiting, b.State);
        s.Drain();
        Assert.Equal(36, b.CachedLength);
        Assert.All([a, b, c], Simulation.AssertComplete);
    }

    [Fact]
    public void Whoever_waits_for_a_sequence_that_ends_goes_on_from_what_it_has_computed()
    {
        var s = new Simulation(4, 200, options: new SchedulerOptions { MaxChunk = 8 });
        ScheduledSequence a = s.Add(Ids(100, 40), 3, root: 1), b = s.Add(Ids(100, 40), 3, root: 1);
        s.Step();
        s.Step();
        s.Scheduler.Cancel(a);
        Assert.Equal([b], s.Step().Sequences.ToArray());
        Assert.Equal(16, b.CachedLength);
        s.Drain();
        Simulation.AssertComplete(b);
    }

    [Fact]
    public void Log_probabilities_of_the_prompt_need_every_row()
    {
        var s = new Simulation(4, 20);
        ScheduledSequence first = First(s), second = s.Add([.. first.Tokens, 500], 2, promptLogprobs: true, root: 1);
        s.Drain();
        Assert.Equal(0, second.CachedLength);
        Assert.Equal(Enumerable.Range(0, second.PromptLength - 1), s.Device.LogprobRows[second]);
    }

    [Fact]
    public void Cached_blocks_are_taken_before_anyone_is_preempted_or_waits()
    {
        var s = new Simulation(4, 8);
        First(s, 10, 6);
        ScheduledSequence a = s.Add(12, 4, root: 1), b = s.Add(12, 4, root: 1);
        Assert.Equal(2, s.Step().SequenceCount);
        s.Drain();
        Assert.Equal(0L, s.Scheduler.Statistics.Preemptions);
        Assert.True(s.Scheduler.Statistics.Evictions > 0);
        Simulation.AssertComplete(a);
        Simulation.AssertComplete(b);
    }

    [Fact]
    public void The_newcomers_prefix_is_not_taken_for_it_twice()
    {
        // 5 of 8 blocks are its prefix; it needs all 8, and 3 are free.
        var s = new Simulation(4, 8);
        ScheduledSequence first = First(s, 17, 3), second = s.Add([.. first.Tokens, .. Ids(500, 28 - first.Length)], 4, root: 1);
        s.Drain();
        Assert.Equal((first.Length - 1, 0L), (second.CachedLength, s.Scheduler.Statistics.Evictions));
        Simulation.AssertComplete(second);
    }

    [Fact]
    public void A_preempted_sequence_finds_what_nobody_needed_meanwhile()
    {
        var s = new Simulation(4, 6);
        ScheduledSequence a = s.Add(9, 8, root: 1), b = s.Add(9, 8, root: 1);
        int prefill = 0;
        while (s.Scheduler.HasWork) prefill += s.Step().PrefillRows;
        Assert.Equal(1, b.Preemptions);
        Assert.InRange(prefill, 19, 18 + b.PromptLength);
        Assert.Equal(0, b.CachedLength);
        Simulation.AssertComplete(a);
        Simulation.AssertComplete(b);
    }

    [Fact]
    public void What_a_failed_step_may_have_written_is_found_by_nobody()
    {
        var s = new Simulation(4, 20, options: new SchedulerOptions { MaxChunk = 8 });
        ScheduledSequence a = s.Add(Ids(100, 20), 3, root: 1);
        s.Step();
        StepPlan plan = s.Plan();
        s.Scheduler.Abandon(plan);
        s.Scheduler.Discard(a);
        Assert.Equal((20, 0), (s.Kv.Statistics().Free, s.Kv.Statistics().Cached));
        s.Kv.Verify();
    }
}
