using Inference.KvCache;
using Inference.Scheduling;

namespace Inference.Tests.Scheduling;

/// <summary>A request that arrives at a scheduler.</summary>
/// <param name="Arrival">Microseconds after the start.</param>
/// <param name="Prompt">Tokens of the prompt, unlike any other's.</param>
/// <param name="Answer">Tokens that the model would generate.</param>
/// <param name="MaxTokens">Tokens that were asked for at most.</param>
/// <param name="Priority">Class.</param>
internal sealed record LoadRequest(long Arrival, int Prompt, int Answer, int MaxTokens, int Priority = 0)
{
    /// <summary>Time to the first token in microseconds; null: it was refused.</summary>
    public long? FirstToken { get; set; }
}

/// <summary>
/// A server in simulated time: the scheduler with a queue of bounded length, as the engine has it, and a device whose steps take a given time and yield tokens until the answer is complete. Nothing is
/// computed, so hours pass in seconds and every figure is the same on every machine.
/// </summary>
/// <param name="options">Scheduler.</param>
/// <param name="blocks">Blocks of 16 tokens.</param>
/// <param name="slots">Sequences at once at most.</param>
/// <param name="stepTime">Microseconds that a step takes.</param>
/// <param name="swapBlocks">Blocks of the swap space.</param>
/// <param name="context">Longest sequence.</param>
internal sealed class ServingSimulation(SchedulerOptions options, int blocks, int slots, Func<StepPlan, long> stepTime, int swapBlocks = 0, int context = 2048)
{
    private long _runningSteps;

    public long Steps { get; private set; }

    public double MeanRunning => (double)_runningSteps / Steps;

    /// <summary>Prompt rows computed, those after a preemption included.</summary>
    public long PromptRows { get; private set; }

    public long Preemptions { get; private set; }

    /// <summary>Serves all requests, which come in order of arrival. Who comes while <paramref name="maxQueued"/> wait for their first step is refused.</summary>
    public void Serve(IReadOnlyList<LoadRequest> arrivals, int maxQueued = int.MaxValue)
    {
        var clock = new FakeClock();
        var scheduler = new Scheduler(new KvAllocator([new CacheGroup(1, CacheKind.Full, 16, blocks)], slots, context, [swapBlocks]), options, clock);
        var results = new StepResults(slots);
        var requests = new Dictionary<ScheduledSequence, LoadRequest>();
        var queued = new HashSet<ScheduledSequence>();
        for (int next = 0; next < arrivals.Count || scheduler.HasWork;)
        {
            if (!scheduler.HasWork) clock.Now = Math.Max(clock.Now, arrivals[next].Arrival);
            long now = clock.Now;
            for (; next < arrivals.Count && arrivals[next].Arrival <= now; next++)
            {
                if (queued.Count == maxQueued) continue;
                // It ranks by its arrival, though it came while a step ran.
                clock.Now = arrivals[next].Arrival;
                var sequence = new ScheduledSequence(next, [.. Enumerable.Range(next * 4096, arrivals[next].Prompt)], arrivals[next].MaxTokens, arrivals[next].Priority, prefixRoot: 1);
                scheduler.Add(sequence);
                requests.Add(sequence, arrivals[next]);
                queued.Add(sequence);
            }
            clock.Now = now;
            Step(scheduler.Plan());
        }
        Preemptions = scheduler.Statistics.Preemptions;

        void Step(StepPlan plan)
        {
            foreach (ScheduledSequence sequence in plan.Sequences) queued.Remove(sequence);
            plan.OperationsDone();
            clock.Now += stepTime(plan);
            results.Clear();
            foreach (OutputRow output in plan.Outputs)
            {
                ScheduledSequence sequence = plan.Sequences[output.Sequence];
                LoadRequest request = requests[sequence];
                request.FirstToken ??= clock.Now - request.Arrival;
                results.AddToken(output.Sequence, 7);
                if (sequence.GeneratedLength + 1 == request.Answer) results.Finish(output.Sequence);
            }
            Steps++;
            _runningSteps += scheduler.RunningCount;
            PromptRows += plan.PrefillRows;
            scheduler.Commit(plan, results);
        }
    }
}
