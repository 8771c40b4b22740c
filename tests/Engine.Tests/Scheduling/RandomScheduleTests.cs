using CsCheck;
using Inference.KvCache;
using Inference.Scheduling;

namespace Inference.Tests.Scheduling;

/// <summary>
/// Random requests, pools, budgets, cancellations and failed steps; prompts that begin alike, samples of one prompt, swap space, tenants, readers that lag: whoever is not cancelled ends with the tokens it yields alone.
/// </summary>
public class RandomScheduleTests
{
    private sealed record Setup(int BlockSize, int Blocks, int MaxSequences, int Context, int Budget, int Chunk, int Groups, int SwapBlocks, PreemptionMode Preemption, bool LongestPrefixFirst, AdmissionMode Admission);

    private sealed record Request(int Prompt, int MaxTokens, int Priority, bool Logprobs, int ArrivalStep, int CancelAfter, int Text);

    private static readonly Gen<Setup> Setups =
        from cache in Gen.Select(Gen.Int[1, 6], Gen.Int[1, 24], Gen.Int[1, 8], Gen.Int[4, 60])
        from step in Gen.Select(Gen.Int[1, 40], Gen.Int[1, 20], Gen.Int[1, 2])
        from swap in Gen.Select(Gen.Int[-10, 24], Gen.Enum<PreemptionMode>(), Gen.Bool, Gen.Enum<AdmissionMode>())
        select new Setup(cache.Item1, cache.Item2, cache.Item3, cache.Item4, step.Item1, step.Item2, step.Item3, Math.Max(0, swap.Item1), swap.Item2, swap.Item3, swap.Item4);

    // One request in eight is cancelled, some steps after its arrival.
    private static readonly Gen<Request[]> Requests =
        (from size in Gen.Select(Gen.Int[1, 30], Gen.Int[0, 30], Gen.Int[-1, 1], Gen.Bool)
         from when in Gen.Select(Gen.Int[0, 40], Gen.Int[0, 79], Gen.Int[0, 5])
         select new Request(size.Item1, size.Item2 == 30 ? ScheduledSequence.Unbounded : size.Item2, size.Item3, size.Item4, when.Item1, when.Item2 < 10 ? when.Item2 : -1, when.Item3)).Array[1, 20];

    private int _preempted, _mixed, _chunked, _swapped, _found, _forked;

    [Fact]
    public void Everyone_finishes_with_its_own_tokens()
    {
        int schedules = int.TryParse(Environment.GetEnvironmentVariable("INFERENCE_SCHEDULES"), out int n) ? n : 3000;
        Gen.Select(Setups, Requests, Gen.Int[0, 15].Array[0, 60]).Sample(Run, iter: schedules);
        // Schedules in which nothing happens would prove nothing.
        string events = $"Of {schedules} schedules {_preempted} with a preemption, {_swapped} with one by swap, {_found} with a prefix found, {_forked} with a fork, {_mixed} with a mixed step, {_chunked} with a chunk";
        TestContext.Current.TestOutputHelper?.WriteLine(events);
        Assert.True(new[] { _preempted, _mixed, _chunked, _swapped, _found, _forked }.Min() > schedules / 80, events);
    }

    private void Run(Setup setup, Request[] requests, int[] faults)
    {
        var options = new SchedulerOptions { MaxBatchTokens = setup.Budget, MaxChunk = setup.Chunk, AgingInterval = TimeSpan.FromMicroseconds(20), Preemption = setup.Preemption, LongestPrefixFirst = setup.LongestPrefixFirst, Admission = setup.Admission };
        var s = new Simulation(setup.BlockSize, setup.Blocks, setup.MaxSequences, setup.Context, options, setup.Groups, setup.SwapBlocks);
        var sequences = new ScheduledSequence?[requests.Length];
        int work = 0;
        for (int step = 0; step <= 40 || s.Scheduler.HasWork || s.Scheduler.PausedCount > 0; step++)
        {
            Assert.True(step < 60 + 2 * work * (requests.Length + 1), "no progress");
            s.Clock.Now += 3;
            for (int i = 0; i < requests.Length; i++)
            {
                Request request = requests[i];
                if (request.ArrivalStep == step) sequences[i] = TryAdd(s, request, i > 0 ? sequences[i - 1] : null);
                if (request.ArrivalStep == step) work += sequences[i]?.MaxLength ?? 0;
                if (request.CancelAfter >= 0 && request.ArrivalStep + request.CancelAfter == step) Cancel(s, sequences[i]);
            }
            // Some readers lag for two steps of seven, each at another time; for ever would be longer than some prompts take.
            for (int i = 0; i < requests.Length; i++)
            {
                if (sequences[i] is not { } sequence || requests[i].Prompt % 4 != 0) continue;
                if ((step + i) % 7 == 0 && step < 60) s.Scheduler.Pause(sequence);
                if ((step + i) % 7 == 2) s.Scheduler.Resume(sequence);
            }
            int fault = step < faults.Length ? faults[step] : 15;
            if (fault == 0) Fail(s);
            else if (fault == 1) CancelInFlight(s, sequences);
            else s.Step();
        }
        s.AssertNothingHeld();
        for (int g = 0; g < setup.Groups; g++) Assert.Equal(setup.SwapBlocks, s.Kv.FreeSwapBlocks(g));
        SchedulerStatistics statistics = s.Scheduler.Statistics;
        if (statistics.Preemptions > 0) Interlocked.Increment(ref _preempted);
        if (statistics.SwapPreemptions > 0) Interlocked.Increment(ref _swapped);
        if (statistics.CachedTokens > 0) Interlocked.Increment(ref _found);
        if (statistics.Forks > 0) Interlocked.Increment(ref _forked);
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

    /// <summary>Texts 0 to 2 begin alike and are shared, 3 is another tenant's, 4 nobody's; 5 is the same prompt as that of the request before.</summary>
    private static ScheduledSequence? TryAdd(Simulation s, Request request, ScheduledSequence? before)
    {
        try
        {
            if (request.Text == 5 && before is not null) return s.Add(before.Prompt.ToArray(), request.MaxTokens, request.Priority, request.Logprobs, before.Kv.Root, before, before.Tenant);
            int[] prompt = [.. Enumerable.Range(0, request.Prompt).Select(i => i < request.Text * 5 ? 100 + i : 200 + request.Text * 40 + i)];
            return s.Add(prompt, request.MaxTokens, request.Priority, request.Logprobs, request.Text < 3 ? 1 : request.Text == 3 ? 2 : (PrefixKey?)null, tenant: request.Text.ToString());
        }
        catch (RequestRefusedException refused)
        {
            int length = refused.PromptTokens;
            long total = request.MaxTokens == ScheduledSequence.Unbounded ? length + 1 : Math.Min((long)length + request.MaxTokens, s.Kv.MaxLength);
            bool full = length + (request.MaxTokens == 0 ? 0 : 1) > s.Kv.MaxLength;
            Assert.True(full || total > s.Kv.Groups.Min(g => g.Blocks * g.BlockSize), refused.Message);
            return null;
        }
    }

    private static void Cancel(Simulation s, ScheduledSequence? sequence)
    {
        if (sequence is null) return;
        int shared = sequence.Kv.IsAdmitted ? s.Kv.SharedBlocks(sequence.Kv, 0) : 0, held = sequence.Kv.IsAdmitted ? s.Kv.Table(sequence.Kv, 0).End : 0, free = s.Kv.AvailableBlocks(0);
        s.Scheduler.Cancel(sequence);
        Assert.Equal(free + held - shared, s.Kv.AvailableBlocks(0));
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
