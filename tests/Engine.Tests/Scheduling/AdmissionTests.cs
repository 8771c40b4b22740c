using CsCheck;
using Inference.Scheduling;

namespace Inference.Tests.Scheduling;

public class AdmissionTests
{
    private static readonly SchedulerOptions Forecast = new() { SwapCost = 0 }, Eager = Forecast with { Admission = AdmissionMode.Eager };

    private static long Millisecond(StepPlan plan) => 1000;

    /// <summary>Lengths of the nano-vllm benchmark: 256 requests at once, 100 to 1,024 tokens in and out.</summary>
    private static LoadRequest[] Mix(int? maxTokens)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, 256).Select(_ => (In: random.Next(100, 1025), Out: random.Next(100, 1025))).Select(l => new LoadRequest(0, l.In, l.Out, maxTokens ?? l.Out))];
    }

    private static ServingSimulation Serve(SchedulerOptions options, int? maxTokens, int swapBlocks, int slots = 64)
    {
        LoadRequest[] mix = Mix(maxTokens);
        var simulation = new ServingSimulation(options, 512, slots, Millisecond, swapBlocks);
        simulation.Serve(mix);
        TestContext.Current.TestOutputHelper?.WriteLine($"{options.Admission}, max tokens {maxTokens?.ToString() ?? "exact"}, {slots} slots, swap {swapBlocks}: {simulation.MeanRunning:F2} at once, {simulation.Preemptions} preemptions, " +
            $"{100.0 * simulation.PromptRows / mix.Sum(a => a.Prompt) - 100:F1} % rows computed again, {simulation.Steps} steps");
        Assert.All(mix, a => Assert.NotNull(a.FirstToken));
        return simulation;
    }

    // A pool of four contexts of 2,048.
    [Theory]
    [InlineData(null)]
    [InlineData(1024)]
    [InlineData(ScheduledSequence.Unbounded)]
    public void Forecasts_avoid_recomputation_and_keep_the_memory_full(int? maxTokens)
    {
        ServingSimulation eager = Serve(Eager, maxTokens, 0), forecast = Serve(Forecast, maxTokens, 0), contiguous = Serve(Eager, maxTokens, 0, slots: 4);
        long prompts = contiguous.PromptRows;
        Assert.True(eager.Preemptions > 200 && eager.PromptRows > prompts * 1.5, "the load is too light to prove anything");
        Assert.InRange(forecast.Preemptions, 0, 15);
        Assert.InRange(forecast.PromptRows, prompts, prompts * 1.04);
        Assert.InRange(forecast.MeanRunning, 1.8 * contiguous.MeanRunning, eager.MeanRunning);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1024)]
    public void Where_swapping_is_cheap_more_is_promised_than_there_is(int? maxTokens)
    {
        ServingSimulation eager = Serve(Eager, maxTokens, 512), forecast = Serve(Forecast, maxTokens, 512), cautious = Serve(Forecast with { SwapCost = 1 }, maxTokens, 512);
        Assert.InRange(forecast.Preemptions, cautious.Preemptions, eager.Preemptions * 2 / 3);
        Assert.InRange(forecast.MeanRunning, Math.Max(cautious.MeanRunning, 0.88 * eager.MeanRunning), eager.MeanRunning);
        Assert.Equal(eager.PromptRows, forecast.PromptRows);
    }

    /// <summary>
    /// Where every answer takes all its tokens, and every prompt is computed in one step, the forecast is exact up to the rounding to blocks, and that is on the safe side: nobody is ever preempted.
    /// </summary>
    [Fact]
    public void Nobody_is_preempted_where_the_forecast_is_exact()
    {
        (from blocks in Gen.Int[20, 60]
         from slots in Gen.Int[2, 16]
         from requests in Gen.Select(Gen.Int[1, 100], Gen.Int[1, AnswerLengths.PriorLength - 40], Gen.Int[0, 30_000]).Array[2, 40]
         select (blocks, slots, requests)).Sample(load =>
        {
            var simulation = new ServingSimulation(new SchedulerOptions { MaxBatchTokens = 8192, Preemption = PreemptionMode.Recompute }, load.blocks, load.slots, Millisecond);
            LoadRequest[] arrivals = [.. load.requests.OrderBy(r => r.Item3).Select(r => new LoadRequest(r.Item3, r.Item1, int.MaxValue, r.Item2))];
            simulation.Serve(arrivals);
            Assert.Equal(0, simulation.Preemptions);
            Assert.All(arrivals, a => Assert.NotNull(a.FirstToken));
        }, iter: 300);
    }

    [Fact]
    public void A_request_alone_is_admitted_however_long_it_may_become()
    {
        var s = new Simulation(4, 4, options: new SchedulerOptions());
        ScheduledSequence a = s.Add(3, 13), b = s.Add(3, 13);
        Assert.Equal([a], s.Step().Sequences.ToArray());
        s.Drain();
        Assert.Equal(0, s.Scheduler.Statistics.Preemptions);
        Simulation.AssertComplete(a);
        Simulation.AssertComplete(b);
    }

    [Fact]
    public void Shared_blocks_are_counted_once()
    {
        // 8 blocks; both begin with the same 16 tokens, and may become 20 long: 5 blocks each, of which 4 are one.
        int[] prompt = [.. Enumerable.Range(100, 17)];
        var s = new Simulation(4, 8, options: new SchedulerOptions());
        ScheduledSequence a = s.Add(prompt, 3, root: 1), b = s.Add(prompt, 3, root: 1), c = s.Add([.. Enumerable.Range(500, 17)], 3, root: 1);
        s.Step();
        s.Step();
        Assert.Equal((SequenceState.Running, SequenceState.Running, SequenceState.Waiting), (a.State, b.State, c.State));
        s.Drain();
    }
}
