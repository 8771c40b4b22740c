using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Inference.Tests.Faults;
using Serilog.Core;

namespace Inference.Tests.Diagnostics;

/// <summary>What a listener of the meter is told, against what the callers themselves count.</summary>
[Collection(nameof(ProcessWide))]
public sealed class MetricsTests : IDisposable
{
    private const string Prompt = "And it came to pass in those days, that there went out a decree from Caesar Augustus";

    private readonly MeterListener listener = new();
    private readonly ConcurrentQueue<(string Name, double Value, Dictionary<string, object?> Tags)> heard = [];

    public void Dispose() => listener.Dispose();

    private void Listen()
    {
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == "Inference") self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => heard.Enqueue((instrument.Name, value, new(tags.ToArray()))));
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => heard.Enqueue((instrument.Name, value, new(tags.ToArray()))));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => heard.Enqueue((instrument.Name, value, new(tags.ToArray()))));
        listener.Start();
    }

    private double[] Values(string name) => [.. heard.Where(h => h.Name == name).Select(h => h.Value)];

    /// <summary>What the observed instruments say now; other engines are gone.</summary>
    private Dictionary<string, double> Observe()
    {
        heard.Clear();
        listener.RecordObservableInstruments();
        return heard.GroupBy(h => h.Name).ToDictionary(g => g.Key, g => g.Sum(h => h.Value));
    }

    [Fact]
    public async Task Measurements_are_what_the_callers_count()
    {
        Listen();
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu" });
        Dictionary<string, double> start = Observe();
        heard.Clear();
        var options = new GenerationOptions { MaxTokens = 20, IgnoreEos = true };
        int prompt = 0, cached = 0, tokens = 0;
        for (int i = 0; i < 3; i++)
        {
            Generation generation = engine.GenerateAsync(Prompt, options);
            tokens += (await TestEngine.CollectAsync(generation)).Count;
            prompt += generation.PromptTokenIds.Count;
            cached += generation.CachedTokens;
        }
        await Assert.ThrowsAsync<RequestTimeoutException>(() => engine.GenerateAsync(Prompt, options with { Timeout = TimeSpan.Zero }).GetTextAsync());
        // The last step is recorded after its tokens are delivered.
        await engine.VerifyAsync();

        Assert.Equal(3, Values("gen_ai.server.time_to_first_token").Length);
        Assert.Equal(3, Values("gen_ai.server.time_per_output_token").Length);
        var durations = heard.Where(h => h.Name == "gen_ai.server.request.duration").ToList();
        Assert.Equal([null, null, null, typeof(RequestTimeoutException).FullName], durations.Select(h => h.Tags.GetValueOrDefault("error.type")));
        Assert.All(durations, h => Assert.Equal((engine.ModelName, "cpu"), (h.Tags["gen_ai.request.model"], h.Tags["inference.device"])));
        for (int i = 0; i < 3; i++)
            Assert.Equal(durations[i].Value, Values("gen_ai.server.time_to_first_token")[i] + 19 * Values("gen_ai.server.time_per_output_token")[i], durations[i].Value / 100 + 1e-3);
        Assert.Equal(engine.GetStatistics().Steps, Values("inference.step.duration").Length);
        Assert.Equal(["deliver", "forward", "plan", "sample"], heard.Where(h => h.Name == "inference.step.phase.duration").Select(h => (string)h.Tags["inference.step.phase"]!).Distinct().Order());
        Assert.Equal(Values("inference.step.duration").Sum(), Values("inference.step.phase.duration").Sum(), 1e-9);

        Dictionary<string, double> end = Observe();
        double Gain(string name) => end[name] - start[name];
        Assert.InRange(cached, 1, prompt);
        Assert.Equal((prompt, tokens, prompt, cached),
            (Gain("inference.prompt_tokens"), Gain("inference.generation_tokens"), Gain("inference.prefix_cache_queries"), Gain("inference.prefix_cache_hits")));
        Assert.Equal((0, 0, 0, 0, 0, 0), (Gain("inference.num_requests_running"), Gain("inference.num_requests_waiting"), Gain("inference.num_requests_swapped"), Gain("inference.num_requests_paused"),
            Gain("inference.num_preemptions"), Gain("inference.kv_cache_usage_perc")));
    }

    [Fact]
    public async Task Running_waiting_swapped_and_memory_are_seen_while_requests_run()
    {
        Listen();
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu", KvBlocks = 10, ContextLength = 128, MaxSequences = 3, Admission = AdmissionMode.Eager, Preemption = PreemptionMode.Swap, SwapMemoryBytes = 8 << 20 });
        Task<string>[] running = [.. Enumerable.Range(0, 6).Select(_ => engine.GenerateAsync(Prompt, new GenerationOptions { MaxTokens = 90, IgnoreEos = true }).GetTextAsync())];
        double most = 0, waiting = 0, swapped = 0, usage = 0;
        while (!Task.WhenAll(running).IsCompleted)
        {
            Dictionary<string, double> now = Observe();
            most = Math.Max(most, now["inference.num_requests_running"]);
            waiting = Math.Max(waiting, now["inference.num_requests_waiting"]);
            swapped = Math.Max(swapped, now["inference.num_requests_swapped"]);
            usage = Math.Max(usage, now["inference.kv_cache_usage_perc"]);
            await Task.Delay(1);
        }
        Assert.InRange(most, 1, 3);
        Assert.InRange(waiting, 1, 6);
        Assert.InRange(swapped, 0, waiting);
        Assert.InRange(usage, 0.1, 1);
        Assert.Equal(engine.GetStatistics().Preemptions, Observe()["inference.num_preemptions"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_step_that_is_recorded_allocates_nothing(bool listened)
    {
        int count = 0;
        if (listened)
        {
            listener.InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter.Name == "Inference") self.EnableMeasurementEvents(instrument);
            };
            listener.SetMeasurementEventCallback<double>((_, _, _, _) => count++);
            listener.Start();
        }
        using var telemetry = new EngineTelemetry("model", "cpu", Logger.None);
        void Step()
        {
            telemetry.RecordStep(new StepTimes(1, 2, 3, 4));
            telemetry.Watch(default);
        }
        for (int i = 0; i < 10; i++) Step();
        count = 0;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++) Step();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(listened ? 5000 : 0, count);
    }

    [Fact]
    public async Task A_listener_that_throws_hurts_no_request_and_is_told_once()
    {
        var log = new LogSink();
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu", Logger = log.Logger });
        var options = new GenerationOptions { MaxTokens = 20, IgnoreEos = true };
        string expected = await engine.GenerateAsync(Prompt, options).GetTextAsync();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == "Inference") self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((_, _, _, _) => throw new FormatException("the listener's own"));
        listener.Start();
        Assert.Equal(expected, await engine.GenerateAsync(Prompt, options).GetTextAsync());
        Assert.IsType<FormatException>(Assert.Single(log.Events, e => e.Level == Serilog.Events.LogEventLevel.Error).Exception);
    }
}
