using System.Collections.Concurrent;
using System.Diagnostics;
using Inference.Scheduling;
using Inference.Tests.Faults;
using Serilog.Events;

namespace Inference.Tests.Diagnostics;

/// <summary>A request's trace and the log's events.</summary>
[Collection(nameof(ProcessWide))]
public class TraceTests
{
    private const string Prompt = "And it came to pass in those days, that there went out a decree from Caesar Augustus";

    [Fact]
    public async Task Every_request_is_an_activity_of_its_caller_with_its_counts()
    {
        ConcurrentQueue<Activity> stopped = [];
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is "Inference" or "test",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = stopped.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        using var source = new ActivitySource("test");
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu", KvBlocks = 8, ContextLength = 256 });
        using (Activity caller = source.StartActivity("caller")!)
        {
            for (int i = 0; i < 2; i++)
            {
                Generation generation = engine.GenerateAsync(Prompt, new GenerationOptions { MaxTokens = 9, IgnoreEos = true });
                Assert.Same(caller, Activity.Current);
                await generation.GetTextAsync();
                Assert.True(stopped.TryDequeue(out Activity? activity));
                Assert.Equal((caller.SpanId, "text_completion " + engine.ModelName, ActivityStatusCode.Unset), (activity.ParentSpanId, activity.DisplayName, activity.Status));
                Assert.Equal((generation.PromptTokenIds.Count, generation.CachedTokens, 9, 0), (activity.GetTagItem("gen_ai.usage.input_tokens"), activity.GetTagItem("gen_ai.usage.cache_read.input_tokens"),
                    activity.GetTagItem("gen_ai.usage.output_tokens"), activity.GetTagItem("inference.preemptions")));
                Assert.Equal(["length"], (string[])activity.GetTagItem("gen_ai.response.finish_reasons")!);
                Assert.InRange((double)activity.GetTagItem("gen_ai.latency.time_to_first_token")!, 0, activity.Duration.TotalSeconds + 0.1);
            }
        }
        await Assert.ThrowsAsync<InferenceException>(() => engine.GenerateAsync(Prompt, new GenerationOptions { MaxTokens = 200 }).GetTextAsync());
        Activity refused = stopped.Last();
        Assert.Equal((ActivityStatusCode.Error, typeof(InferenceException).FullName, null), (refused.Status, refused.GetTagItem("error.type"), refused.GetTagItem("gen_ai.latency.time_to_first_token")));
        Assert.Null(Activity.Current);
    }

    [Fact]
    public async Task The_log_tells_of_loading_refusals_failed_steps_and_ends()
    {
        var log = new LogSink();
        var fault = new Fault();
        await using (InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions
        {
            Device = "cpu",
            KvBlocks = 8,
            MaxQueuedRequests = 1,
            MaxSequences = 1,
            Logger = log.Logger,
            WrapKernels = kernels => new FaultyKernels(kernels, fault.Before),
        }))
        {
            await Assert.ThrowsAsync<InferenceException>(() => engine.GenerateAsync(Prompt, new GenerationOptions { MaxTokens = 200 }).GetTextAsync());
            fault.Arm("Logits", 3, () => new TimeoutException());
            await Assert.ThrowsAsync<InferenceException>(() => engine.GenerateAsync(Prompt, new GenerationOptions { MaxTokens = 20, IgnoreEos = true }).GetTextAsync());
            List<Generation> taken = [];
            Assert.Throws<QueueFullException>(() =>
            {
                for (int i = 0; i < 10; i++) taken.Add(engine.GenerateAsync(Prompt, new GenerationOptions { MaxTokens = 80, IgnoreEos = true }));
            });
            foreach (Generation generation in taken) await generation.GetTextAsync();
        }
        int Count(LogEventLevel level, string beginning) => log.Events.Count(e => e.Level == level && e.MessageTemplate.Text.StartsWith(beginning, StringComparison.Ordinal));
        Assert.Equal((1, 1, 1, 1, 1), (Count(LogEventLevel.Information, "Loaded"), Count(LogEventLevel.Warning, "Refused request"), Count(LogEventLevel.Warning, "Refused {Requests}"), Count(LogEventLevel.Error, "A step of"),
            Count(LogEventLevel.Information, "Disposed")));
        Assert.InRange(Count(LogEventLevel.Debug, "Request {Id} ended"), 4, 20);
    }

    [Fact]
    public void Many_preemptions_are_told_once_in_a_while()
    {
        var log = new LogSink();
        using var telemetry = new EngineTelemetry("model", "cpu", log.Logger);
        void Watch(long steps, long preemptions) =>
            telemetry.Watch(new EngineLoop.Snapshot(new SchedulerStatistics(steps, 0, 0, preemptions, 0, 0, 0, 0, 8, 8), 3, 5, 0, default, default, default, default, default, 0));
        Watch(256, 63);
        Assert.Empty(log.Events);
        Watch(511, 200);
        Assert.Empty(log.Events);
        Watch(512, 200);
        Watch(513, 300);
        Assert.Equal("KV memory is short: 137 preemptions in 256 steps, with 3 requests running and 5 waiting", Assert.Single(log.Events).RenderMessage());
    }
}
