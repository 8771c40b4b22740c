using Inference.KvCache;
using Inference.Scheduling;

namespace Inference.Tests.Scheduling;

/// <summary>Samples of one prompt, and sequences that lose their blocks and find them again on the host.</summary>
public class SwapAndForkTests
{
    private static int[] Ids(int start, int count) => [.. Enumerable.Range(start, count)];

    private static SchedulerOptions With(PreemptionMode mode, double cost = 0.1) => new() { Preemption = mode, SwapCost = cost, Admission = AdmissionMode.Eager };

    [Theory]
    [InlineData(9)]
    [InlineData(8)]
    public void Samples_wait_for_the_prompt_and_compute_its_last_token(int prompt)
    {
        var s = new Simulation(4, 40, options: new SchedulerOptions { MaxChunk = 3 });
        ScheduledSequence first = s.Add(Ids(100, prompt), 6);
        ScheduledSequence[] others = [.. Enumerable.Range(0, 3).Select(_ => s.Add(Ids(100, prompt), 6, sibling: first))];
        for (int step = 0; step < 3; step++) Assert.Equal([first], s.Step().Sequences.ToArray());
        StepPlan plan = s.Step();
        Assert.Equal([1, 1, 1, 1], plan.QueryCount.ToArray());
        Assert.All(others, other => Assert.Equal(prompt - 1, other.CachedLength));
        s.Drain();
        Assert.All([first, .. others], Simulation.AssertComplete);
        Assert.Equal(3L, s.Scheduler.Statistics.Forks);
    }

    [Fact]
    public void A_sample_whose_sibling_is_gone_begins_by_itself()
    {
        var s = new Simulation(4, 40, options: new SchedulerOptions { MaxChunk = 3 });
        ScheduledSequence first = s.Add(Ids(100, 9), 6), other = s.Add(Ids(100, 9), 6, sibling: first);
        s.Step();
        s.Scheduler.Cancel(first);
        Assert.Equal([other], s.Step().Sequences.ToArray());
        s.Drain();
        Assert.Equal(0, other.CachedLength);
        Simulation.AssertComplete(other);
    }

    [Fact]
    public void A_preempted_sequence_is_moved_out_and_goes_on_where_it_was()
    {
        var s = new Simulation(4, 4, options: With(PreemptionMode.Swap), swapBlocks: 4);
        ScheduledSequence a = s.Add(5, 9), b = s.Add(6, 9);
        StepPlan plan = s.Step();
        while (plan.Preempted.IsEmpty) plan = s.Step();
        int computed = b.ComputedLength;
        Assert.Equal((true, true), (b.Kv.IsSwapped, computed >= 6));
        while (b.State == SequenceState.Waiting) plan = s.Step();
        Assert.Equal((1, computed), (plan.RowCount, plan.Positions[0]));
        s.Drain();
        Simulation.AssertComplete(a);
        Simulation.AssertComplete(b);
        Assert.Equal((1L, 1L, 4), (s.Scheduler.Statistics.Preemptions, s.Scheduler.Statistics.SwapPreemptions, s.Kv.FreeSwapBlocks(0)));
    }

    [Theory]
    [InlineData(PreemptionMode.Cheapest, 0.1, 4, true)]
    [InlineData(PreemptionMode.Cheapest, 1.5, 4, false)]
    [InlineData(PreemptionMode.Cheapest, 0.1, 1, false)]
    [InlineData(PreemptionMode.Swap, 1.5, 4, true)]
    [InlineData(PreemptionMode.Swap, 0.1, 1, false)]
    [InlineData(PreemptionMode.Recompute, 0.1, 4, false)]
    internal void The_cheaper_way_is_chosen_unless_one_is_forced(PreemptionMode mode, double cost, int swapBlocks, bool swapped)
    {
        var s = new Simulation(4, 4, options: With(mode, cost), swapBlocks: swapBlocks);
        ScheduledSequence a = s.Add(5, 9), b = s.Add(6, 9);
        s.Drain();
        Assert.Equal((1L, swapped ? 1L : 0), (s.Scheduler.Statistics.Preemptions, s.Scheduler.Statistics.SwapPreemptions));
        Simulation.AssertComplete(a);
        Simulation.AssertComplete(b);
    }

    [Fact]
    public void What_others_keep_in_memory_is_not_worth_moving()
    {
        // Of b's tokens 8 are a's as well: to move all of them costs more than to compute the rest.
        var s = new Simulation(4, 5, options: With(PreemptionMode.Cheapest, 0.7), swapBlocks: 8);
        ScheduledSequence a = s.Add(Ids(100, 9), 9, root: 1), b = s.Add([.. Ids(100, 8), 7], 9, root: 1);
        s.Drain();
        Assert.Equal((1, 0L), (b.Preemptions, s.Scheduler.Statistics.SwapPreemptions));
        Simulation.AssertComplete(a);
        Simulation.AssertComplete(b);
    }

    [Fact]
    public void Cancelling_a_sequence_that_is_moved_out_gives_the_space_back()
    {
        var s = new Simulation(4, 4, options: With(PreemptionMode.Swap), swapBlocks: 4);
        s.Add(5, 9);
        ScheduledSequence b = s.Add(6, 9);
        while (!b.Kv.IsSwapped) s.Step();
        s.Scheduler.Cancel(b);
        Assert.Equal(4, s.Kv.FreeSwapBlocks(0));
        s.Kv.Verify();
        s.Drain();
    }

    [Fact]
    public void Blocks_of_an_abandoned_step_are_moved_in_the_next_one()
    {
        var s = new Simulation(4, 4, options: With(PreemptionMode.Swap), swapBlocks: 4);
        ScheduledSequence a = s.Add(5, 9), b = s.Add(6, 9);
        StepPlan plan = s.Step();
        while (true)
        {
            plan = s.Plan();
            if (plan.HasOperations) break;
            s.Scheduler.Commit(plan, s.Device.Run(plan));
        }
        Assert.True(b.Kv.IsSwapped);
        BlockOperation[] operations = plan.Operations(0).ToArray();
        s.Scheduler.Abandon(plan);
        plan = s.Plan();
        Assert.Equal(operations, plan.Operations(0)[..operations.Length].ToArray());
        s.Scheduler.Commit(plan, s.Device.Run(plan));
        s.Drain();
        Simulation.AssertComplete(a);
        Simulation.AssertComplete(b);
    }
}
