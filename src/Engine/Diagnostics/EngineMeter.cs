using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Inference;

/// <summary>
/// The instruments of the meter, and the source of the traces, one of each for the process; engines tell themselves apart by their tags. Names follow OpenTelemetry's semantic conventions for
/// generative AI where these have one, else vLLM's with another prefix, so that dashboards carry over.
/// </summary>
internal static class EngineMeter
{
    /// <summary>Name of the meter and of the activity source.</summary>
    public const string Name = "Inference";

    public static readonly ActivitySource Source = new(Name);
    private static readonly Meter Meter = new(Name);
    private static readonly ConcurrentDictionary<EngineTelemetry, byte> Engines = new();

    // The conventions advise these boundaries; those of steps go down to a tenth of a millisecond.
    public static readonly Histogram<double> TimeToFirstToken = Seconds("gen_ai.server.time_to_first_token", "From the call until the first token is handed over",
        [.001, .005, .01, .02, .04, .06, .08, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10]);

    public static readonly Histogram<double> TimePerOutputToken = Seconds("gen_ai.server.time_per_output_token", "Time per token after the first, of answers that are complete",
        [.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5]);

    public static readonly Histogram<double> RequestDuration = Seconds("gen_ai.server.request.duration", "From the call until the request ends",
        [.01, .02, .04, .08, .16, .32, .64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]);

    private static readonly double[] StepBoundaries = [.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5];

    public static readonly Histogram<double> StepDuration = Seconds("inference.step.duration", "One step of all requests that run", StepBoundaries);

    public static readonly Histogram<double> PhaseDuration = Seconds("inference.step.phase.duration", "A part of a step: plan, forward, sample or deliver", StepBoundaries);

    /// <summary>Counted only while somebody listens, since it takes a look at every request.</summary>
    public static readonly ObservableGauge<int> Swapped = Gauge("inference.num_requests_swapped", "{request}", "Waiting requests whose KV blocks are in host memory", s => s.Swapped);

    // Observed when a listener asks, from the snapshot that the engine makes after every step in any case.
    private static readonly Instrument[] Observed =
    [
        Gauge("inference.num_requests_running", "{request}", "Requests that are computed", s => s.Running),
        Gauge("inference.num_requests_waiting", "{request}", "Requests that wait, preempted ones included", s => s.Waiting),
        Gauge("inference.num_requests_paused", "{request}", "Requests that are not computed since their reader lags", s => s.Paused),
        Gauge("inference.kv_cache_usage_perc", "1", "Share of the KV blocks that requests hold; 1 is all", s => (double)s.Blocks.Used / s.Blocks.Total),
        Counter("inference.num_preemptions", "{preemption}", "Times that a request lost its KV blocks", s => s.Scheduler.Preemptions),
        Counter("inference.prefix_cache_queries", "{token}", "Prompt tokens looked up in the prefix cache", s => s.Tokens.Queried),
        Counter("inference.prefix_cache_hits", "{token}", "Those of them that were found", s => s.Tokens.Found),
        Counter("inference.prompt_tokens", "{token}", "Tokens of the prompts whose answers have begun", s => s.Tokens.Prompt),
        Counter("inference.generation_tokens", "{token}", "Tokens generated", s => s.Tokens.Generated),
    ];

    /// <summary>From here on the engine is observed.</summary>
    public static void Add(EngineTelemetry engine) => Engines.TryAdd(engine, 0);

    /// <summary>The engine is gone.</summary>
    public static void Remove(EngineTelemetry engine) => Engines.TryRemove(engine, out _);

    private static Histogram<double> Seconds(string name, string description, double[] boundaries) =>
        Meter.CreateHistogram(name, "s", description, tags: null, new InstrumentAdvice<double> { HistogramBucketBoundaries = boundaries });

    private static ObservableGauge<T> Gauge<T>(string name, string unit, string description, Func<EngineLoop.Snapshot, T> value) where T : struct =>
        Meter.CreateObservableGauge(name, () => Observe(value), unit, description);

    private static ObservableCounter<long> Counter(string name, string unit, string description, Func<EngineLoop.Snapshot, long> value) =>
        Meter.CreateObservableCounter(name, () => Observe(value), unit, description);

    private static IEnumerable<Measurement<T>> Observe<T>(Func<EngineLoop.Snapshot, T> value) where T : struct
    {
        foreach (EngineTelemetry engine in Engines.Keys) yield return new Measurement<T>(value(engine.Snapshot), engine.Tags);
    }
}
