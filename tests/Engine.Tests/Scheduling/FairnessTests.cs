using Inference.KvCache;
using Inference.Scheduling;

namespace Inference.Tests.Scheduling;

/// <summary>Tenants, deadlines, readers that lag, and the order by prefixes.</summary>
public class FairnessTests
{
    private static int[] Ids(int start, int count) => [.. Enumerable.Range(start, count)];

    private static List<ScheduledSequence> Order(Simulation s)
    {
        var order = new List<ScheduledSequence>();
        while (s.Scheduler.HasWork)
            foreach (ScheduledSequence sequence in s.Step().Sequences)
                if (!order.Contains(sequence)) order.Add(sequence);
        return order;
    }

    [Fact]
    public void The_tenant_with_the_fewest_running_sequences_is_served_next()
    {
        var s = new Simulation(4, 100, maxSequences: 2);
        ScheduledSequence[] many = [.. Enumerable.Range(0, 4).Select(_ => s.Add(Ids(100, 2), 2, tenant: "many"))];
        ScheduledSequence few = s.Add(Ids(100, 2), 2, tenant: "few"), urgent = s.Add(Ids(100, 2), 2, tenant: "many", priority: 1);
        // The class goes first, then one of each tenant; afterwards there is only one tenant.
        Assert.Equal([urgent, few, .. many], Order(s));
    }

    [Fact]
    public void Whoever_has_waited_for_the_aging_interval_goes_first_all_the_same()
    {
        var s = new Simulation(4, 100, maxSequences: 1, options: new SchedulerOptions { AgingInterval = TimeSpan.FromMilliseconds(1) });
        s.Add(Ids(100, 2), 3, tenant: "a");
        ScheduledSequence second = s.Add(Ids(100, 2), 3, tenant: "a");
        s.Step();
        for (int i = 0; second.State == SequenceState.Waiting; i++)
        {
            Assert.True(i < 30, "it starves");
            s.Add(Ids(100, 2), 3, tenant: "t" + i);
            s.Clock.Now += 100;
            s.Step();
        }
        s.Drain();
    }

    [Fact]
    public void The_longest_prefix_goes_first_where_that_is_wanted()
    {
        ScheduledSequence[] Run(bool longestFirst)
        {
            var s = new Simulation(4, 100, maxSequences: 1, options: new SchedulerOptions { LongestPrefixFirst = longestFirst });
            s.Add(Ids(100, 20), 1, root: 1);
            s.Drain();
            ScheduledSequence none = s.Add(Ids(500, 20), 1, root: 1), some = s.Add([.. Ids(100, 8), 7, 8], 1, root: 1), most = s.Add([.. Ids(100, 16), 9], 1, root: 1);
            List<ScheduledSequence> order = Order(s);
            Assert.All(order, Simulation.AssertComplete);
            return [.. order.Select(o => o == none ? none : o == some ? some : most)];
        }
        Assert.Equal([20, 10, 17], Run(false).Select(o => o.PromptLength));
        Assert.Equal([17, 10, 20], Run(true).Select(o => o.PromptLength));
    }

    [Fact]
    public void What_is_not_complete_in_time_ends_and_frees_its_blocks()
    {
        var s = new Simulation(4, 20, maxSequences: 1);
        ScheduledSequence running = s.Add(Ids(100, 4), 50, timeout: TimeSpan.FromMilliseconds(2)), waiting = s.Add(Ids(100, 4), 1, timeout: TimeSpan.FromMilliseconds(1)), patient = s.Add(Ids(200, 4), 2);
        s.Step();
        s.Clock.Now += 1000;
        Assert.Equal([waiting], s.Step().Expired.ToArray());
        Assert.Equal((SequenceEnd.Expired, SequenceState.Running), (waiting.End, running.State));
        s.Clock.Now += 1000;
        StepPlan plan = s.Step();
        Assert.Equal((1, running, patient), (plan.Expired.Length, plan.Expired[0], plan.Sequences[0]));
        s.Drain();
        Simulation.AssertComplete(patient);
        Assert.InRange(running.GeneratedLength, 1, 2);
    }

    [Fact]
    public void A_plan_may_be_empty_since_all_have_expired()
    {
        var s = new Simulation(4, 20);
        s.Add(Ids(100, 4), 50, timeout: TimeSpan.Zero);
        StepPlan plan = s.Scheduler.Plan();
        Assert.Equal((1, 0, false), (plan.Expired.Length, plan.RowCount, s.Scheduler.HasWork));
        Assert.Equal(0, s.Scheduler.Plan().Expired.Length);
    }

    [Fact]
    public void A_paused_sequence_has_no_rows_and_goes_on_where_it_was()
    {
        var s = new Simulation(4, 20);
        ScheduledSequence a = s.Add(6, 9), b = s.Add(6, 9);
        s.Step();
        int computed = a.ComputedLength;
        s.Scheduler.Pause(a);
        Assert.Equal([b], s.Step().Sequences.ToArray());
        Assert.Equal((1, 1), (s.Scheduler.PausedCount, s.Scheduler.RunningCount));
        s.Scheduler.Resume(a);
        StepPlan plan = s.Plan();
        Assert.Equal([a, b], plan.Sequences.ToArray());
        Assert.Equal(computed, plan.Positions[0]);
        Assert.Throws<InvalidOperationException>(() => s.Scheduler.Pause(a));
        s.Scheduler.Commit(plan, s.Device.Run(plan));
        s.Drain();
        Simulation.AssertComplete(a);
    }

    [Theory]
    [InlineData(4, 4, 0)]
    [InlineData(4, 4, 4)]
    [InlineData(40, 1, 0)]
    public void A_paused_sequence_gives_way_to_who_needs_its_blocks_or_its_slot(int blocks, int slots, int swapBlocks)
    {
        var s = new Simulation(4, blocks, maxSequences: slots, options: new SchedulerOptions { Preemption = PreemptionMode.Swap }, swapBlocks: swapBlocks);
        ScheduledSequence a = s.Add(9, 5), b = s.Add(9, 5);
        s.Step();
        s.Scheduler.Pause(a);
        Assert.Equal([b], s.Step().Sequences.ToArray());
        Assert.Equal((false, swapBlocks > 0, 1), (a.Kv.IsAdmitted, a.Kv.IsSwapped, a.Preemptions));
        s.Drain();
        Simulation.AssertComplete(b);
        Assert.False(s.Scheduler.HasWork);
        s.Scheduler.Resume(a);
        s.Drain();
        Simulation.AssertComplete(a);
    }

    [Fact]
    public void Cancelling_a_paused_sequence_frees_it()
    {
        var s = new Simulation(4, 20);
        ScheduledSequence a = s.Add(6, 9);
        s.Step();
        s.Scheduler.Pause(a);
        s.Scheduler.Cancel(a);
        s.Scheduler.Resume(a);
        Assert.Equal((SequenceEnd.Cancelled, 0, 20), (a.End, s.Scheduler.PausedCount, s.Kv.AvailableBlocks(0)));
    }
}
