using Inference.KvCache;
using Inference.Scheduling;

namespace Inference.Tests.Scheduling;

/// <summary>Scheduler, allocator and fake device, with everything that holds for any plan checked in every step.</summary>
internal sealed class Simulation
{
    private readonly Dictionary<ScheduledSequence, (long Rank, int Arrival)> _ranks = [];
    private readonly SchedulerOptions _options;

    public Simulation(int blockSize, int blocks, int maxSequences = 8, int context = 100, SchedulerOptions? options = null, int groups = 1, int swapBlocks = 0)
    {
        // Most tests are about who gets blocks when they run out; with forecasts they seldom do.
        _options = options ?? new SchedulerOptions { Admission = AdmissionMode.Eager };
        // Groups beyond the first differ in block size, so that their slots and tables cannot be mixed up unnoticed.
        Kv = new KvAllocator([.. Enumerable.Range(0, groups).Select(g => new CacheGroup(1, CacheKind.Full, blockSize + g, blocks))], maxSequences, context, [.. Enumerable.Repeat(swapBlocks, groups)]);
        Scheduler = new Scheduler(Kv, _options, Clock);
        Device = new FakeDevice(Kv);
    }

    public KvAllocator Kv { get; }

    public FakeClock Clock { get; } = new();

    public Scheduler Scheduler { get; }

    public FakeDevice Device { get; }

    public ScheduledSequence Add(int promptLength, int maxTokens, int priority = 0, bool promptLogprobs = false, PrefixKey? root = null)
    {
        int id = _ranks.Count;
        return Add([.. Enumerable.Range(0, promptLength).Select(i => 100 + id * 7 + i * 3)], maxTokens, priority, promptLogprobs, root);
    }

    public ScheduledSequence Add(int[] prompt, int maxTokens, int priority = 0, bool promptLogprobs = false, PrefixKey? root = null, ScheduledSequence? sibling = null, string? tenant = null, TimeSpan? timeout = null)
    {
        int id = _ranks.Count;
        var sequence = new ScheduledSequence(id, prompt, maxTokens, priority, promptLogprobs, root, sibling) { Tenant = tenant, Timeout = timeout };
        Scheduler.Add(sequence);
        _ranks.Add(sequence, (Clock.Now - priority * (long)_options.AgingInterval.TotalMicroseconds, id));
        return sequence;
    }

    /// <summary>Plans, runs and commits one step.</summary>
    public StepPlan Step()
    {
        StepPlan plan = Plan();
        if (plan.RowCount > 0) Scheduler.Commit(plan, Device.Run(plan));
        Kv.Verify();
        return plan;
    }

    public StepPlan Plan()
    {
        bool expires = _ranks.Keys.Any(s => s.Timeout is not null);
        ScheduledSequence? head = _ranks.Keys.Where(s => s.State == SequenceState.Running).MinBy(s => _ranks[s]);
        bool hadWork = Scheduler.HasWork;
        StepPlan plan = Scheduler.Plan();
        Kv.Verify();
        if (!expires) Assert.Equal(hadWork, plan.RowCount > 0);
        if (head is not null && !expires) Assert.Contains(head, plan.Sequences.ToArray());
        Check(plan);
        return plan;
    }

    /// <summary>Steps until nothing is left to do.</summary>
    public void Drain(int maxSteps = 10_000)
    {
        for (; Scheduler.HasWork; maxSteps--)
        {
            Assert.True(maxSteps > 0, "no progress");
            Step();
        }
        AssertNothingHeld();
    }

    /// <summary>Every block is free, or cached.</summary>
    public void AssertNothingHeld() => Assert.Equal(0, Kv.Statistics().Used);

    /// <summary>The sequence has the tokens that it yields alone, and ended for that reason.</summary>
    public static void AssertComplete(ScheduledSequence sequence)
    {
        List<int> alone = FakeDevice.Alone(sequence.Prompt, sequence.MaxTokens, sequence.MaxLength);
        Assert.Equal(alone, sequence.Tokens.ToArray());
        Assert.Equal(SequenceState.Finished, sequence.State);
        Assert.Equal(alone.Count == sequence.MaxLength ? SequenceEnd.Length : SequenceEnd.Stopped, sequence.End);
    }

    private void Check(StepPlan plan)
    {
        Assert.InRange(plan.RowCount, 0, _options.MaxBatchTokens);
        Assert.InRange(Scheduler.RunningCount, 0, _options.MaxBatchTokens);
        Assert.Equal(plan.SequenceCount, plan.Sequences.ToArray().Distinct().Count());
        int row = 0, decodeRows = 0;
        for (int i = 0; i < plan.SequenceCount; i++)
        {
            ScheduledSequence sequence = plan.Sequences[i];
            int computed = sequence.ComputedLength, count = plan.QueryCount[i];
            Assert.Equal((SequenceState.Running, row), (sequence.State, plan.QueryStart[i]));
            Assert.InRange(count, 1, _options.MaxChunk);
            Assert.Equal((computed + count, sequence.Kv.TableSlot), (plan.KvLength[i], plan.TableSlot[i]));
            for (int j = 0; j < count; j++, row++)
            {
                Assert.Equal((i, computed + j, sequence.Tokens[computed + j]), (plan.RowSequence[row], plan.Positions[row], plan.Tokens[row]));
            }
            if (computed == sequence.Length - 1 && sequence.GeneratedLength > 0)
            {
                Assert.Equal(i, decodeRows++);
            }
        }
        Assert.Equal((row, decodeRows, row - decodeRows), (plan.RowCount, plan.DecodeRows, plan.PrefillRows));
        for (int g = 0; g < plan.Groups; g++) Assert.Equal(row, plan.Slots(g).ToArray().Distinct().Count());
        for (int i = 1; i < plan.OutputCount; i++) Assert.True(plan.Outputs[i - 1].Row < plan.Outputs[i].Row);
        foreach (ScheduledSequence sequence in plan.Preempted)
        {
            Assert.Equal((sequence.ComputedLength > 0, false), (sequence.Kv.IsSwapped, sequence.Kv.IsAdmitted));
            Assert.True(sequence.State is SequenceState.Waiting or SequenceState.Paused);
            Assert.DoesNotContain(sequence, plan.Sequences.ToArray());
        }
    }
}
