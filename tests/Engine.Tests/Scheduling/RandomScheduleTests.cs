using CsCheck;
using Inference.Scheduling;

namespace Inference.Tests.Scheduling;

/// <summary>Random requests, pools, budgets, cancellations and failed steps: whoever is not cancelled ends with the tokens it yields alone.</summary>
public class RandomScheduleTests
{
    private sealed record Setup(int BlockSize, int Blocks, int MaxSequences, int Context, int Budget, int Chunk, int Groups);

    private sealed record Request(int Prompt, int MaxTokens, int Priority, bool Logprobs, int ArrivalStep, int CancelAfter);

    private static readonly Gen<Setup> Setups =
        from cache in Gen.Select(Gen.Int[1, 6], Gen.Int[1, 24], Gen.Int[1, 8], Gen.Int[4, 60])
        from step in Gen.Select(Gen.Int[1, 40], Gen.Int[1, 20], Gen.Int[1, 2])
        select new Setup(cache.Item1, cache.Item2, cache.Item3, cache.Item4, step.Item1, step.Item2, step.Item3);

    // One request in eight is cancelled, some steps after its arrival.
    private static readonly Gen<Request[]> Requests =
        (from size in Gen.Select(Gen.Int[1, 30], Gen.Int[0, 30], Gen.Int[-1, 1], Gen.Bool)
         from when in Gen.Select(Gen.Int[0, 40], Gen.Int[0, 79])
         select new Request(size.Item1, size.Item2 == 30 ? ScheduledSequence.Unbounded : size.Item2, size.Item3, size.Item4, when.Item1, when.Item2 < 10 ? when.Item2 : -1)).Array[1, 20];

    private int _preempted, _mixed, _chunked;

    [Fact]
    public void Everyone_finishes_with_its_own_tokens()
    {
        Gen.Select(Setups, Requests, Gen.Int[0, 15].Array[0, 60]).Sample(Run, iter: 3000);
        // Schedules in which nothing happens would prove nothing.
        Assert.True(_preempted > 300 && _mixed > 300 && _chunked > 300, $"{_preempted} schedules with a preemption, {_mixed} with a mixed step, {_chunked} with a chunk");
    }

    private void Run(Setup setup, Request[] requests, int[] faults)
    {
        var options = new SchedulerOptions { MaxBatchTokens = setup.Budget, MaxChunk = setup.Chunk, AgingInterval = TimeSpan.FromMicroseconds(20) };
        var s = new Simulation(setup.BlockSize, setup.Blocks, setup.MaxSequences, setup.Context, options, setup.Groups);
        var sequences = new ScheduledSequence?[requests.Length];
        int work = 0;
        for (int step = 0; step <= 40 || s.Scheduler.HasWork; step++)
        {
            Assert.True(step < 60 + work * (requests.Length + 1), "no progress");
            s.Clock.Now += 3;
            for (int i = 0; i < requests.Length; i++)
            {
                Request request = requests[i];
                if (request.ArrivalStep == step) sequences[i] = TryAdd(s, request);
                if (request.ArrivalStep == step) work += sequences[i]?.MaxLength ?? 0;
                if (request.CancelAfter >= 0 && request.ArrivalStep + request.CancelAfter == step) Cancel(s, sequences[i]);
            }
            int fault = step < faults.Length ? faults[step] : 15;
            if (fault == 0) Fail(s);
            else if (fault == 1) CancelInFlight(s, sequences);
            else s.Step();
        }
        Assert.Equal(s.Kv.Statistics().Total, s.Kv.Statistics().Free);
        SchedulerStatistics statistics = s.Scheduler.Statistics;
        if (statistics.Preemptions > 0) Interlocked.Increment(ref _preempted);
        if (statistics.MixedSteps > 0) Interlocked.Increment(ref _mixed);
        if (statistics.PrefillChunks > 0) Interlocked.Increment(ref _chunked);
        foreach (ScheduledSequence? sequence in sequences)
        {
            if (sequence is null) continue;
            if (sequence.End != SequenceEnd.Cancelled) Simulation.AssertComplete(sequence);
            // A cancelled one has a beginning of its tokens.
            List<int> alone = FakeDevice.Alone(sequence.Prompt, sequence.MaxTokens, sequence.MaxLength);
            Assert.Equal(alone.Take(sequence.Length), sequence.Tokens.ToArray());
            if (sequence.PromptLogprobs && sequence.End != SequenceEnd.Cancelled && sequence.PromptLength > 1)
                Assert.Equal(Enumerable.Range(0, sequence.PromptLength - 1), s.Device.LogprobRows[sequence]);
        }
    }

    private static ScheduledSequence? TryAdd(Simulation s, Request request)
    {
        try
        {
            return s.Add(request.Prompt, request.MaxTokens, request.Priority, request.Logprobs);
        }
        catch (RequestRefusedException refused)
        {
            long total = request.MaxTokens == ScheduledSequence.Unbounded ? request.Prompt + 1 : Math.Min((long)request.Prompt + request.MaxTokens, s.Kv.MaxLength);
            bool full = request.Prompt + (request.MaxTokens == 0 ? 0 : 1) > s.Kv.MaxLength;
            Assert.True(full || total > s.Kv.Groups.Min(g => g.Blocks * g.BlockSize), refused.Message);
            return null;
        }
    }

    private static void Cancel(Simulation s, ScheduledSequence? sequence)
    {
        if (sequence is null) return;
        int held = sequence.Kv.IsAdmitted ? s.Kv.Table(sequence.Kv, 0).End : 0, free = s.Kv.AvailableBlocks(0);
        s.Scheduler.Cancel(sequence);
        Assert.Equal(free + held, s.Kv.AvailableBlocks(0));
        s.Kv.Verify();
    }

    private static void Fail(Simulation s)
    {
        StepPlan plan = s.Plan();
        if (plan.RowCount > 0) s.Scheduler.Abandon(plan);
        s.Kv.Verify();
    }

    private static void CancelInFlight(Simulation s, ScheduledSequence?[] sequences)
    {
        StepPlan plan = s.Plan();
        Cancel(s, sequences[0]);
        if (plan.RowCount > 0) s.Scheduler.Commit(plan, s.Device.Run(plan));
        s.Kv.Verify();
    }
}
