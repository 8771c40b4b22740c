using Inference.Scheduling;

namespace Inference.Tests.Scheduling;

public class RefusalTests
{
    [Fact]
    public void A_request_that_cannot_fit_an_empty_pool_is_refused_with_the_numbers()
    {
        var s = new Simulation(4, 5, context: 100);
        var refused = Assert.Throws<RequestRefusedException>(() => s.Add(11, 10));
        Assert.Equal((11, 10, 20), (refused.PromptTokens, refused.MaxTokens, refused.Available));
        Assert.Equal("The request needs 21 tokens of KV cache (prompt 11 + max tokens 10), and the empty pool holds 20 (5 blocks of 4).", refused.Message);
        Assert.False(s.Scheduler.HasWork);
        ScheduledSequence fits = s.Add(11, 9);
        s.Drain();
        Simulation.AssertComplete(fits);
    }

    [Fact]
    public void A_prompt_that_fills_the_context_is_refused()
    {
        var s = new Simulation(4, 100, context: 10);
        var refused = Assert.Throws<RequestRefusedException>(() => s.Add(10, 1));
        Assert.Equal("The prompt has 10 tokens and the context 10: no room is left to generate.", refused.Message);
        Assert.Throws<RequestRefusedException>(() => s.Add(11, 0));
        s.Add(10, 0);
        s.Drain();
    }

    [Fact]
    public void A_limit_beyond_the_context_ends_at_the_context()
    {
        var s = new Simulation(4, 100, context: 10);
        ScheduledSequence a = s.Add(4, 1000);
        s.Drain();
        Assert.Equal((SequenceEnd.Length, 10), (a.End, a.Length));
        Simulation.AssertComplete(a);
    }

    [Fact]
    public void Without_a_limit_the_pool_is_one()
    {
        var s = new Simulation(4, 3, context: 100);
        ScheduledSequence a = s.Add(4, ScheduledSequence.Unbounded);
        Assert.Equal(12, a.MaxLength);
        s.Drain();
        Simulation.AssertComplete(a);
        Assert.Throws<RequestRefusedException>(() => s.Add(12, ScheduledSequence.Unbounded));
    }

    [Fact]
    public void Bad_arguments_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new ScheduledSequence(0, [], 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ScheduledSequence(0, [1], -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ScheduledSequence(0, [1], 1, priority: int.MinValue));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SchedulerOptions { MaxBatchTokens = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new SchedulerOptions { MaxChunk = 0 });
        Assert.Throws<ArgumentOutOfRangeException>(() => new SchedulerOptions { AgingInterval = TimeSpan.FromSeconds(-1) });
    }
}
