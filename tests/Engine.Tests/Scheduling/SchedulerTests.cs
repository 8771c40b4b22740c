using Inference.Scheduling;

namespace Inference.Tests.Scheduling;

public class SchedulerTests
{
    private static SchedulerOptions Budget(int tokens, int chunk = int.MaxValue) => new() { MaxBatchTokens = tokens, MaxChunk = chunk, Admission = AdmissionMode.Eager };

    [Fact]
    public void Decodes_first_and_fills_up_with_prefill()
    {
        var s = new Simulation(16, 100, options: Budget(8));
        ScheduledSequence a = s.Add(3, 20), b = s.Add(12, 20);
        StepPlan plan = s.Step();
        Assert.Equal([3, 5], plan.QueryCount.ToArray());
        Assert.Equal([new OutputRow(2, 0, OutputKind.Sample)], plan.Outputs.ToArray());
        plan = s.Step();
        Assert.Equal([a, b], plan.Sequences.ToArray());
        Assert.Equal([1, 7], plan.QueryCount.ToArray());
        Assert.Equal([4, 12], plan.KvLength.ToArray());
        Assert.Equal([0, 7], plan.Outputs.ToArray().Select(o => o.Row));
        Assert.Equal((2, 1, 1), (s.Scheduler.Statistics.Steps, s.Scheduler.Statistics.MixedSteps, s.Scheduler.Statistics.PrefillChunks));
        s.Drain();
        Simulation.AssertComplete(a);
        Simulation.AssertComplete(b);
    }

    [Fact]
    public void Counts_the_chunks_that_leave_something_of_a_prompt()
    {
        var s = new Simulation(16, 100, options: Budget(100, chunk: 4));
        s.Add(10, 1);
        Assert.Equal([4, 4, 2], Enumerable.Range(0, 3).Select(_ => s.Step().RowCount));
        Assert.Equal(2, s.Scheduler.Statistics.PrefillChunks);
        Assert.False(s.Scheduler.HasWork);
    }

    [Fact]
    public void Lists_new_table_entries_once()
    {
        var s = new Simulation(4, 10, options: Budget(6));
        s.Add(7, 4);
        Assert.Equal([new TableEntry(0, 0, 0), new TableEntry(0, 1, 1)], s.Step().NewEntries(0).ToArray());
        Assert.Empty(s.Step().NewEntries(0).ToArray());
        Assert.Empty(s.Step().NewEntries(0).ToArray());
        Assert.Equal([new TableEntry(0, 2, 2)], s.Step().NewEntries(0).ToArray());
    }

    [Fact]
    public void Admits_no_more_than_have_a_row_each()
    {
        var s = new Simulation(16, 100, options: Budget(3, chunk: 1));
        ScheduledSequence a = s.Add(1, 50), b = s.Add(2, 50), c = s.Add(9, 5), d = s.Add(1, 5);
        s.Step();
        s.Step();
        Assert.Equal((1, 2, 2), (a.UncomputedLength, b.ComputedLength, c.ComputedLength));
        Assert.Equal(SequenceState.Waiting, d.State);
        ScheduledSequence urgent = s.Add(9, 5, priority: 1);
        s.Scheduler.Cancel(c);
        Assert.Equal([a, b, urgent], s.Step().Sequences.ToArray());
        s.Drain();
        Assert.All([a, b, d, urgent], Simulation.AssertComplete);
    }

    [Fact]
    public void Preempts_the_last_in_rank_and_recomputes_without_sampling_again()
    {
        // Four blocks of four: both prompts fit, both texts do not.
        var s = new Simulation(4, 4);
        ScheduledSequence a = s.Add(5, 9), b = s.Add(6, 9);
        int[] generated = [];
        StepPlan plan = s.Step();
        while (plan.Preempted.IsEmpty)
        {
            generated = b.Generated.ToArray();
            plan = s.Step();
        }
        Assert.Equal([b], plan.Preempted.ToArray());
        Assert.Equal([a], plan.Sequences.ToArray());
        Assert.Equal(generated, b.Generated.ToArray());
        Assert.Equal((SequenceState.Waiting, 1), (b.State, b.Preemptions));
        while (b.State == SequenceState.Waiting) plan = s.Step();
        Assert.Equal([6 + generated.Length], plan.QueryCount.ToArray());
        Assert.Equal([new OutputRow(plan.RowCount - 1, 0, OutputKind.Sample)], plan.Outputs.ToArray());
        s.Drain();
        Simulation.AssertComplete(a);
        Simulation.AssertComplete(b);
        Assert.Equal(1, s.Scheduler.Statistics.Preemptions);
        Assert.Equal((4, 4), (s.Scheduler.Statistics.KvBlocksTotal, s.Scheduler.Statistics.KvBlocksPeak));
    }

    [Fact]
    public void Admits_only_with_blocks_for_what_is_known_of_all()
    {
        var s = new Simulation(4, 5, options: Budget(8, chunk: 4));
        ScheduledSequence a = s.Add(12, 4), b = s.Add(8, 4);
        s.Step();
        // Four blocks are free and b needs three, but the rest of a needs three as well.
        Assert.Equal((SequenceState.Running, SequenceState.Waiting), (a.State, b.State));
        s.Drain();
        Assert.Equal(0, s.Scheduler.Statistics.Preemptions);
    }

    [Fact]
    public void A_large_request_at_the_head_is_not_overtaken()
    {
        var s = new Simulation(4, 4);
        s.Add(8, 2);
        ScheduledSequence large = s.Add(12, 4), small = s.Add(1, 1);
        s.Step();
        Assert.Equal((SequenceState.Waiting, SequenceState.Waiting), (large.State, small.State));
        s.Drain();
        Simulation.AssertComplete(large);
    }

    [Fact]
    public void Runs_no_more_sequences_than_table_slots()
    {
        var s = new Simulation(4, 100, maxSequences: 2);
        for (int i = 0; i < 5; i++) s.Add(2, 3);
        Assert.Equal([0, 1], s.Step().TableSlot.ToArray());
        Assert.Equal((2, 3), (s.Scheduler.RunningCount, s.Scheduler.WaitingCount));
        s.Drain();
    }

    [Fact]
    public void Asks_for_every_prompt_row_once()
    {
        var s = new Simulation(4, 4, options: Budget(5));
        ScheduledSequence a = s.Add(6, 9, promptLogprobs: true), b = s.Add(6, 9, promptLogprobs: true);
        s.Drain();
        Assert.True(b.Preemptions > 0);
        Assert.Equal(Enumerable.Range(0, 5), s.Device.LogprobRows[a]);
        Assert.Equal(Enumerable.Range(0, 5), s.Device.LogprobRows[b]);
    }

    [Fact]
    public void Computes_a_prompt_without_generating()
    {
        var s = new Simulation(4, 4, context: 6, options: Budget(4));
        ScheduledSequence a = s.Add(6, 0, promptLogprobs: true);
        s.Drain();
        Assert.Equal((SequenceEnd.Length, 6), (a.End, a.Length));
        Assert.Equal(Enumerable.Range(0, 5), s.Device.LogprobRows[a]);
    }

    [Fact]
    public void Takes_several_tokens_of_a_step_and_cuts_at_the_end()
    {
        var s = new Simulation(4, 10);
        ScheduledSequence a = s.Add(2, 4);
        var results = new StepResults(8);
        void Commit(StepPlan plan)
        {
            results.Clear();
            for (int i = 0; i < 3; i++) results.AddToken(0, 10 + a.Length + i);
            s.Scheduler.Commit(plan, results);
        }
        Commit(s.Plan());
        Assert.Equal((3, 3), (a.GeneratedLength, a.UncomputedLength));
        StepPlan plan = s.Plan();
        Assert.Equal([3], plan.QueryCount.ToArray());
        Assert.Equal([2], plan.Outputs.ToArray().Select(o => o.Row));
        Commit(plan);
        Assert.Equal([12, 13, 14, 15], a.Generated.ToArray());
        Assert.Equal(SequenceEnd.Length, a.End);
    }

    [Fact]
    public void An_abandoned_step_is_planned_again()
    {
        var s = new Simulation(4, 10);
        ScheduledSequence a = s.Add(6, 5);
        StepPlan plan = s.Plan();
        TableEntry[] entries = plan.NewEntries(0).ToArray();
        s.Scheduler.Abandon(plan);
        s.Kv.Verify();
        Assert.Equal(0, a.ComputedLength);
        Assert.Equal(entries.Length, s.Step().NewEntries(0).Length);
        s.Drain();
        Simulation.AssertComplete(a);
    }

    [Fact]
    public void Refuses_calls_out_of_order()
    {
        var s = new Simulation(4, 10);
        ScheduledSequence a = s.Add(6, 5);
        StepPlan plan = s.Plan();
        Assert.Throws<InvalidOperationException>(() => s.Scheduler.Plan());
        Assert.Throws<InvalidOperationException>(() => s.Scheduler.Add(a));
        s.Scheduler.Commit(plan, s.Device.Run(plan));
        Assert.Throws<InvalidOperationException>(() => s.Scheduler.Commit(plan, s.Device.Results));
        plan = s.Plan();
        Assert.Contains("yielded no token", Assert.Throws<InvalidOperationException>(() => s.Scheduler.Commit(plan, new StepResults(8))).Message);
        s.Scheduler.Commit(plan, s.Device.Run(plan));
        s.Drain();
        Simulation.AssertComplete(a);
    }

    [Fact]
    public void Refuses_a_token_from_the_middle_of_a_prompt()
    {
        var s = new Simulation(4, 10, options: Budget(2));
        s.Add(6, 5);
        StepPlan plan = s.Plan();
        var results = new StepResults(8);
        results.AddToken(0, 1);
        Assert.Contains("not asked for", Assert.Throws<InvalidOperationException>(() => s.Scheduler.Commit(plan, results)).Message);
        results.Clear();
        s.Scheduler.Commit(plan, results);
        Assert.Equal(2, s.Plan().Positions[0]);
    }
}
