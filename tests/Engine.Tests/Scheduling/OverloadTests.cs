using Inference.Scheduling;

namespace Inference.Tests.Scheduling;

/// <summary>More requests than the device can serve, for as long as it takes: how long who is taken waits at most, in simulated time.</summary>
public class OverloadTests
{
    private const int Slots = 4, Queue = 12, LongestAnswer = 20, StepTime = 10_000;

    // Prompts of up to 40 tokens fit one step with all that decode: who runs has a row in every step, and is done after as many steps as its answer has tokens.
    private const long LongestService = LongestAnswer * StepTime;

    /// <summary>
    /// In the time of the longest service every slot is free once. So who finds at most Queue - 1 before it begins after Queue / Slots of them, in whole ones, and after the step that ran when it came.
    /// </summary>
    private const long LongestQueue = (Queue + Slots - 1) / Slots * LongestService + StepTime;

    private static readonly SchedulerOptions Options = new() { MaxBatchTokens = 256, AgingInterval = TimeSpan.FromSeconds(2) };

    /// <summary>A Poisson process, as <c>bench serve</c> has it, of twice as many requests a second as can be served; the classes in turn.</summary>
    private static LoadRequest[] Overload(int count, int seed, params int[] priorities)
    {
        var random = new Random(seed);
        // A mean service takes 10.5 steps.
        double capacity = Slots / (10.5 * StepTime), now = 0;
        var requests = new LoadRequest[count];
        for (int i = 0; i < count; i++)
        {
            int answer = random.Next(1, LongestAnswer + 1);
            requests[i] = new LoadRequest((long)now, random.Next(1, 41), answer, answer, priorities[i % priorities.Length]);
            now -= Math.Log(1 - random.NextDouble()) / (2 * capacity);
        }
        return requests;
    }

    private static void Serve(LoadRequest[] requests, SchedulerOptions options, int maxQueued) => new ServingSimulation(options, 100, Slots, _ => StepTime).Serve(requests, maxQueued);

    private static long Longest(IEnumerable<LoadRequest> requests) => requests.Max(r => r.FirstToken ?? 0);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_queue_limit_bounds_the_time_to_the_first_token(int seed)
    {
        LoadRequest[] limited = Overload(3000, seed, 0), unlimited = Overload(3000, seed, 0);
        Serve(limited, Options, Queue);
        Serve(unlimited, Options, int.MaxValue);
        long[] waits = [.. limited.Where(r => r.FirstToken is not null).Select(r => r.FirstToken!.Value).Order()];
        TestContext.Current.TestOutputHelper?.WriteLine($"{waits.Length} of 3000 served; first token after {waits[waits.Length / 2] / 1000} ms (p50), {waits[waits.Length * 99 / 100] / 1000} ms (p99), {waits[^1] / 1000} ms (longest); bound {(LongestQueue + StepTime) / 1000} ms");
        // Twice the capacity: half are refused, and the queue is full most of the time.
        Assert.InRange(waits.Length, 1350, 1750);
        Assert.InRange(waits[^1], 0, LongestQueue + StepTime);
        // On average a full queue passes at the rate of the mean service.
        Assert.InRange(waits[waits.Length / 2], 0.6 * Queue * 10.5 * StepTime / Slots, 1.2 * Queue * 10.5 * StepTime / Slots);
        Assert.InRange(Longest(unlimited), 20 * LongestQueue, long.MaxValue);
    }

    /// <summary>
    /// The lowest class is overtaken by those alone that arrive within (difference of classes) x aging interval after it. When that time is over, at most Queue - 1 are before it.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Aging_bounds_the_wait_of_the_lowest_class(int seed)
    {
        // The higher class alone is more than can be served. Few are of the lower one, or they would soon be the whole queue, and the higher class refused.
        int[] classes = [0, .. Enumerable.Repeat(5, 199)];
        LoadRequest[] aging = Overload(8000, seed, classes), fixedClasses = Overload(8000, seed, classes);
        long bound = 5 * (long)Options.AgingInterval.TotalMicroseconds + LongestQueue + StepTime, overload = aging[^1].Arrival;
        Assert.True(overload > 5 * bound, "the overload is too short to starve anyone");
        Serve(aging, Options, Queue);
        Serve(fixedClasses, Options with { AgingInterval = TimeSpan.FromHours(1) }, Queue);
        LoadRequest[] low = [.. aging.Where(r => r.Priority == 0 && r.FirstToken is not null)];
        TestContext.Current.TestOutputHelper?.WriteLine($"Longest wait of class 0 {Longest(low) / 1000} ms, bound {bound / 1000} ms; of class 5 {Longest(aging.Where(r => r.Priority == 5)) / 1000} ms; without aging {Longest(fixedClasses.Where(r => r.Priority == 0)) / 1000} ms of {overload / 1000} ms");
        Assert.True(low.Length > 5);
        Assert.InRange(Longest(low), Longest(aging.Where(r => r.Priority == 5)), bound);
        Assert.InRange(Longest(fixedClasses.Where(r => r.Priority == 0)), 2 * bound, long.MaxValue);
    }
}
