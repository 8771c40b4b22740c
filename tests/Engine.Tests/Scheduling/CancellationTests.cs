using Inference.Scheduling;

namespace Inference.Tests.Scheduling;

public class CancellationTests
{
    [Fact]
    public void Frees_the_blocks_of_a_running_sequence_at_once()
    {
        var s = new Simulation(4, 4);
        ScheduledSequence a = s.Add(8, 8), b = s.Add(4, 4);
        s.Step();
        Assert.Equal(SequenceState.Waiting, b.State);
        s.Scheduler.Cancel(a);
        Assert.Equal(4, s.Kv.AvailableBlocks(0));
        Assert.Equal((SequenceState.Finished, SequenceEnd.Cancelled, 9), (a.State, a.End, a.Length));
        Assert.Equal([b], s.Step().Sequences.ToArray());
        s.Drain();
    }

    [Fact]
    public void Takes_a_waiting_sequence_out_of_the_queue()
    {
        var s = new Simulation(4, 4);
        ScheduledSequence a = s.Add(8, 8), b = s.Add(8, 8);
        s.Step();
        s.Scheduler.Cancel(b);
        Assert.Equal(0, s.Scheduler.WaitingCount);
        s.Drain();
        Simulation.AssertComplete(a);
        s.Scheduler.Cancel(a);
        Assert.NotEqual(SequenceEnd.Cancelled, a.End);
    }

    [Fact]
    public void Ignores_the_results_of_a_step_in_flight()
    {
        var s = new Simulation(4, 10);
        ScheduledSequence a = s.Add(3, 8), b = s.Add(3, 8);
        s.Step();
        StepPlan plan = s.Plan();
        s.Scheduler.Cancel(a);
        Assert.Equal(9, s.Kv.AvailableBlocks(0));
        s.Scheduler.Commit(plan, s.Device.Run(plan));
        s.Kv.Verify();
        Assert.Equal((1, 2), (a.GeneratedLength, b.GeneratedLength));
        s.Drain();
        Simulation.AssertComplete(b);
    }

    [Fact]
    public void Survives_an_abandoned_step()
    {
        var s = new Simulation(4, 10);
        ScheduledSequence a = s.Add(3, 8), b = s.Add(3, 8);
        StepPlan plan = s.Plan();
        s.Scheduler.Cancel(a);
        s.Scheduler.Abandon(plan);
        s.Drain();
        Simulation.AssertComplete(b);
    }
}
