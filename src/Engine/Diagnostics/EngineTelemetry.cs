using System.Diagnostics;
using System.Globalization;
using Serilog;
using Serilog.Events;

namespace Inference;

/// <summary>
/// What one engine tells of itself: measurements, traces, and the log's events. Nothing is measured that nobody listens to, and a listener that throws hurts no request.
/// </summary>
internal sealed class EngineTelemetry : IDisposable
{
    // A preemption in every fourth step for that long is no longer chance: the pool is too small for what is asked.
    private const int WatchedSteps = 256, ManyPreemptions = 64;

    private readonly ILogger logger;
    private readonly string model;
    private readonly TagList step, plan, forward, sample, deliver;
    private Func<EngineLoop.Snapshot>? snapshot;
    private long watchedStep, watchedPreemptions, lastRefusal, refused;
    private int complained;

    public EngineTelemetry(string model, string device, ILogger logger)
    {
        this.model = model;
        this.logger = logger;
        Tags = [new("gen_ai.request.model", model), new("inference.device", device)];
        step = new TagList(Tags);
        plan = Phase("plan");
        forward = Phase("forward");
        sample = Phase("sample");
        deliver = Phase("deliver");

        TagList Phase(string name) => new([.. Tags, new("inference.step.phase", name)]);
    }

    /// <summary>Tags of every measurement of this engine.</summary>
    public KeyValuePair<string, object?>[] Tags { get; }

    /// <summary>State after the last step.</summary>
    public EngineLoop.Snapshot Snapshot => snapshot!();

    /// <summary>Shows the engine to those who observe the meter.</summary>
    public void Open(Func<EngineLoop.Snapshot> source)
    {
        snapshot = source;
        EngineMeter.Add(this);
    }

    public void RecordStep(in StepTimes times)
    {
        if (!EngineMeter.StepDuration.Enabled && !EngineMeter.PhaseDuration.Enabled) return;
        try
        {
            EngineMeter.StepDuration.Record(Seconds(times.Total), step);
            EngineMeter.PhaseDuration.Record(Seconds(times.Plan), plan);
            EngineMeter.PhaseDuration.Record(Seconds(times.Forward), forward);
            EngineMeter.PhaseDuration.Record(Seconds(times.Sample), sample);
            EngineMeter.PhaseDuration.Record(Seconds(times.Deliver), deliver);
        }
        catch (Exception e)
        {
            Complain(e);
        }
    }

    /// <summary>Warns when memory is so short that requests mostly take it from each other.</summary>
    public void Watch(in EngineLoop.Snapshot now)
    {
        long steps = now.Scheduler.Steps - watchedStep, preemptions = now.Scheduler.Preemptions - watchedPreemptions;
        if (steps < WatchedSteps) return;
        watchedStep = now.Scheduler.Steps;
        watchedPreemptions = now.Scheduler.Preemptions;
        if (preemptions >= ManyPreemptions)
            logger.Warning("KV memory is short: {Preemptions} preemptions in {Steps} steps, with {Running} requests running and {Waiting} waiting", preemptions, steps, now.Running, now.Waiting);
    }

    /// <summary>Begins a request's trace as a child of the caller's; null when nobody traces.</summary>
    public Activity? Begin(Request request)
    {
        if (!EngineMeter.Source.HasListeners()) return null;
        Activity? caller = Activity.Current;
        try
        {
            Activity? activity = EngineMeter.Source.StartActivity("text_completion " + model, ActivityKind.Internal);
            activity?.SetTag("gen_ai.operation.name", "text_completion").SetTag("gen_ai.request.model", model).SetTag("gen_ai.request.max_tokens", request.Options.MaxTokens)
                .SetTag("inference.request.id", request.Sequence.Id.ToString(CultureInfo.InvariantCulture));
            return activity;
        }
        catch (Exception e)
        {
            Complain(e);
            return null;
        }
        finally
        {
            // It lasts longer than this call, and what the caller does next is no part of it.
            Activity.Current = caller;
        }
    }

    public void FirstToken(Request request)
    {
        if (!EngineMeter.TimeToFirstToken.Enabled) return;
        try
        {
            EngineMeter.TimeToFirstToken.Record(Seconds(request.FirstTokenAt - request.SubmittedAt), step);
        }
        catch (Exception e)
        {
            Complain(e);
        }
    }

    /// <summary>The request has ended, on whichever thread.</summary>
    public void End(Request request, Exception? error)
    {
        bool measured = EngineMeter.RequestDuration.Enabled || EngineMeter.TimePerOutputToken.Enabled, logged = logger.IsEnabled(LogEventLevel.Debug);
        if (!measured && !logged && request.Activity is null) return;
        long now = Stopwatch.GetTimestamp();
        try
        {
            if (measured) Measure(request, error, now);
            if (logged)
                logger.Debug("Request {Id} ended with {FinishReason} after {Milliseconds:F0} ms: {PromptTokens} prompt tokens, {CachedTokens} of them cached, {OutputTokens} generated, {Preemptions} preemptions",
                    request.Sequence.Id, request.Generation.FinishReason, 1e3 * Seconds(now - request.SubmittedAt), request.Sequence.PromptLength, request.Sequence.CachedLength, request.Sequence.GeneratedLength, request.Sequence.Preemptions);
        }
        catch (Exception e)
        {
            Complain(e);
        }
        if (request.Activity is { } activity) Trace(activity, request, error);
    }

    private void Measure(Request request, Exception? error, long now)
    {
        TagList tags = step;
        if (error is not null) tags.Add("error.type", error.GetType().FullName);
        EngineMeter.RequestDuration.Record(Seconds(now - request.SubmittedAt), tags);
        int further = request.Sequence.GeneratedLength - 1;
        if (error is null && further > 0) EngineMeter.TimePerOutputToken.Record(Seconds(now - request.FirstTokenAt) / further, step);
    }

    private void Trace(Activity activity, Request request, Exception? error)
    {
        Activity? current = Activity.Current;
        try
        {
            activity.SetTag("gen_ai.usage.input_tokens", request.Sequence.PromptLength);
            activity.SetTag("gen_ai.usage.cache_read.input_tokens", request.Sequence.CachedLength);
            activity.SetTag("gen_ai.usage.output_tokens", request.Sequence.GeneratedLength);
            activity.SetTag("gen_ai.response.finish_reasons", new[] { request.Generation.FinishReason?.ToString().ToLowerInvariant() });
            activity.SetTag("inference.preemptions", request.Sequence.Preemptions);
            if (request.FirstTokenAt != 0) activity.SetTag("gen_ai.latency.time_to_first_token", Seconds(request.FirstTokenAt - request.SubmittedAt));
            if (error is not null) activity.SetTag("error.type", error.GetType().FullName).SetStatus(ActivityStatusCode.Error, error.Message);
            activity.Stop();
        }
        catch (Exception e)
        {
            Complain(e);
        }
        finally
        {
            Activity.Current = current;
        }
    }

    /// <summary>A request that could never run.</summary>
    public void Refused(Request request, string reason) => logger.Warning("Refused request {Id}: {Reason}", request.Sequence.Id, reason);

    /// <summary>A full queue refuses, in the caller's thread. Where that happens often it is told once a second, with the number.</summary>
    public void QueueFull(int limit)
    {
        Interlocked.Increment(ref refused);
        long now = Stopwatch.GetTimestamp(), last = Interlocked.Read(ref lastRefusal);
        if (last != 0 && now - last < Stopwatch.Frequency || Interlocked.CompareExchange(ref lastRefusal, now, last) != last) return;
        logger.Warning("Refused {Requests} requests: {Limit} wait already, and no more may", Interlocked.Exchange(ref refused, 0), limit);
    }

    /// <summary>Once: a listener that throws does so at every step.</summary>
    private void Complain(Exception e)
    {
        if (Interlocked.Exchange(ref complained, 1) == 0) logger.Error(e, "A listener of the meter or of the traces threw; its further exceptions are not logged");
    }

    private static double Seconds(long ticks) => (double)ticks / Stopwatch.Frequency;

    public void Dispose() => EngineMeter.Remove(this);
}
