using Inference.Scheduling;

namespace Inference.Tests.Scheduling;

public class PriorityTests
{
    private static readonly SchedulerOptions Aging = new() { AgingInterval = TimeSpan.FromMilliseconds(1) };

    [Fact]
    public void Serves_classes_in_order_and_each_first_come_first_served()
    {
        var s = new Simulation(4, 100, maxSequences: 1);
        ScheduledSequence a = s.Add(2, 2), b = s.Add(2, 2, priority: -1), c = s.Add(2, 2, priority: 5), d = s.Add(2, 2, priority: 5), e = s.Add(2, 2);
        var order = new List<ScheduledSequence>();
        while (s.Scheduler.HasWork)
        {
            ScheduledSequence running = s.Step().Sequences[0];
            if (order.Count == 0 || order[^1] != running) order.Add(running);
        }
        Assert.Equal([c, d, a, e, b], order);
    }

    [Fact]
    public void Preempts_the_lowest_class_first()
    {
        var s = new Simulation(4, 4);
        ScheduledSequence low = s.Add(6, 9, priority: -1), high = s.Add(6, 9);
        s.Drain();
        Assert.Equal((1, 0), (low.Preemptions, high.Preemptions));
        Simulation.AssertComplete(low);
    }

    [Fact]
    public void Waiting_outweighs_class_in_the_end()
    {
        var s = new Simulation(4, 100, maxSequences: 1, options: Aging);
        ScheduledSequence low = s.Add(2, 2);
        // A class above arrives every 100 microseconds, more than one slot can serve: those later than 1 ms queue behind.
        int overtakers = 0;
        while (low.State != SequenceState.Finished)
        {
            s.Add(2, 2, priority: 1);
            overtakers++;
            s.Step();
            s.Clock.Now += 100;
            Assert.True(overtakers < 100, "the lower class starves");
        }
        Assert.True(overtakers > 10);
        s.Drain();
    }

    [Fact]
    public void Nothing_starves_while_small_requests_keep_coming()
    {
        var s = new Simulation(4, 8, maxSequences: 4, options: new SchedulerOptions { MaxBatchTokens = 3 });
        ScheduledSequence large = s.Add(20, 12);
        for (int i = 0; large.State != SequenceState.Finished; i++)
        {
            Assert.True(i < 200, "the large request starves");
            s.Add(1 + i % 5, 3);
            s.Step();
        }
        Simulation.AssertComplete(large);
        s.Drain();
    }
}
