using Inference.KvCache;
using Inference.Scheduling;

namespace Inference.Tests.Scheduling;

public class WarmStepTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Decoding_allocates_nothing(bool prefixCaching)
    {
        var kv = new KvAllocator([new CacheGroup(1, CacheKind.Full, 16, 32 * 64)], 32, 1024);
        var scheduler = new Scheduler(kv, new SchedulerOptions { MaxBatchTokens = 256 }, new FakeClock());
        var results = new StepResults(32);
        for (int i = 0; i < 32; i++) scheduler.Add(new ScheduledSequence(i, [1, 2, 3, i], ScheduledSequence.Unbounded, prefixRoot: prefixCaching ? 1 : null));
        int rows = 0;
        void Step()
        {
            StepPlan plan = scheduler.Plan();
            rows += plan.RowCount;
            results.Clear();
            foreach (OutputRow output in plan.Outputs) results.AddToken(output.Sequence, 7);
            scheduler.Commit(plan, results);
        }
        for (int i = 0; i < 40; i++) Step();
        rows = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 500; i++) Step();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(32 * 500, rows);
        if (prefixCaching) Assert.Equal((4 + 540) / 16 - 1, kv.CopyPrefix(new KvSequence(99, 1), [1, 2, 3, 5, .. Enumerable.Repeat(7, 540)], 0, new int[40]));
    }
}
