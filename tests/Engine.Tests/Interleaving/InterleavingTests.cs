using System.Globalization;
using Inference.Tests.Shared;

namespace Inference.Tests.Interleaving;

/// <summary>
/// The two crossings of threads, callers to engine and engine to readers, under thousands of schedules that are chosen, not met by chance. In each: every request ends exactly once, no token comes after the
/// last one, what is delivered is what the request yields alone, no block is lost, nobody waits for ever.
/// </summary>
public class InterleavingTests
{
    /// <summary>A thousand or two in CI; INFERENCE_INTERLEAVINGS=100000 once. INFERENCE_INTERLEAVINGS_SEED=n repeats one that failed.</summary>
    private static readonly int Schedules = Number("INFERENCE_INTERLEAVINGS") ?? 1500;

    private static int? Number(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out int n) ? n : null;

    [Fact]
    public async Task Every_schedule_ends_every_request_once_with_its_own_tokens()
    {
        // What a client awaits goes on in the pool, and is held there.
        ThreadPool.SetMinThreads(32, 8);
        using var model = new HashModel();
        var counts = new ScenarioCounts();
        (int first, int count) = Number("INFERENCE_INTERLEAVINGS_SEED") is { } seed ? (seed, 1) : (0, Schedules);
        for (int i = 0; i < count; i++) await new Scenario(first + i, model, counts).RunAsync();
        string line = counts.ToString();
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", counts.Places.OrderBy(p => p.Key).Select(p => $"{p.Key} {p.Value}")));
        if (count == 1) return;
        ConformanceLog.Write("interleavings", line);
        // Schedules in which one of these never happens prove nothing about it.
        Assert.True(new[] { counts.Whole, counts.Left, counts.Cancelled, counts.Thrown, counts.Broken, counts.Full, counts.Failed, counts.Disposed, counts.Gone, counts.Saved, counts.Loaded, counts.Forks, counts.Preemptions, counts.Swaps, counts.Cached }.Min() > 0, line);
    }

    [Fact]
    public async Task A_seed_repeats_its_schedule()
    {
        using var model = new HashModel();
        for (int seed = 0; seed < 30; seed++)
        {
            Scenario one = new(seed, model, new ScenarioCounts()), two = new(seed, model, new ScenarioCounts());
            await one.RunAsync();
            await two.RunAsync();
            Assert.Equal(one.Fingerprint, two.Fingerprint);
        }
    }
}
