using System.Collections.Concurrent;
using System.Diagnostics;
using Inference.KvCache;
using Inference.Scheduling;
using Serilog;

namespace Inference;

/// <summary>
/// The engine's thread: drain the inbox, plan, run, commit. Callers reach it only through the inbox, and are reached only through
/// their generation's channel: the two thread crossings of a token.
/// </summary>
internal sealed class EngineLoop : IDisposable
{
    private enum Act
    {
        Submit,
        Cancel,
        Resume,
        Call,
    }

    private readonly record struct Command(Act Act, Request? Request, Action? Call = null);

    /// <summary>State of scheduler and pool after a step.</summary>
    public readonly record struct Snapshot(SchedulerStatistics Scheduler, int Running, int Waiting, int Paused, KvStatistics Blocks, Throughput Prefill, Throughput Decode, StepTotals Totals, TokenTotals Tokens, int Swapped);

    /// <summary>Work of one kind of step, for rates.</summary>
    public readonly record struct Throughput(long Tokens, double Seconds);

    private readonly ConcurrentQueue<Command> inbox = new();
    private readonly SemaphoreSlim wake = new(0);
    private readonly Scheduler scheduler;
    private readonly KvAllocator allocator;
    private readonly StepRunner runner;
    private readonly StepResults results;
    private readonly Dictionary<ScheduledSequence, Request> requests = [];
    private readonly Request[] planned;
    private readonly EngineTelemetry telemetry;
    private readonly ILogger logger;
    private readonly Thread thread;
    private readonly Lock snapshot = new();
    private Snapshot statistics;
    private readonly int maxQueued;
    private readonly ThreadCrossings? crossings;
    private volatile bool stopping, ended;
    private readonly int[] queued = new int[2 * ScheduledSequence.MaxPriority + 1]; // by priority class

    public EngineLoop(Scheduler scheduler, KvAllocator allocator, StepRunner runner, EngineOptions options, EngineTelemetry telemetry, ILogger logger)
    {
        int maxSequences = options.MaxSequences;
        maxQueued = options.MaxQueuedRequests ?? int.MaxValue;
        Control = new RequestControl(options.MaxUnreadTokens, Cancel, Resume, telemetry, options.Crossings);
        crossings = options.Crossings;
        this.scheduler = scheduler;
        this.allocator = allocator;
        this.runner = runner;
        this.telemetry = telemetry;
        this.logger = logger;
        results = new StepResults(maxSequences);
        planned = new Request[maxSequences];
        Publish();
        telemetry.Open(() => Statistics);
        thread = new Thread(Run) { IsBackground = true, Name = "inference engine" };
        crossings?.Announce(thread.Name);
        thread.Start();
    }

    /// <summary>A snapshot of the counters, taken after the last step.</summary>
    public Snapshot Statistics
    {
        get { lock (snapshot) return statistics; }
    }

    /// <summary>What readers can do.</summary>
    public RequestControl Control { get; }

    /// <summary>Hands a request over; it begins with the next step.</summary>
    /// <exception cref="QueueFullException">As many wait as may.</exception>
    public void Submit(Request request)
    {
        crossings?.Reach("submit");
        int waiting;
        lock (queued)
        {
            waiting = QueuedFrom(request.Options.Priority);
            if (waiting < maxQueued) Interlocked.Increment(ref QueuedOf(request.Options.Priority));
        }
        if (waiting >= maxQueued)
        {
            telemetry.QueueFull(maxQueued);
            throw new QueueFullException(waiting, maxQueued);
        }
        crossings?.Reach("queue");
        Post(new Command(Act.Submit, request));
    }

    private ref int QueuedOf(int priority) => ref queued[priority + ScheduledSequence.MaxPriority];

    /// <summary>Requests of a class and those above it that wait for their first step: lower ones are in nobody's way, and must not fill the queue.</summary>
    private int QueuedFrom(int priority)
    {
        int sum = 0;
        foreach (ref int count in queued.AsSpan(priority + ScheduledSequence.MaxPriority)) sum += Volatile.Read(ref count);
        return sum;
    }

    /// <summary>Goes on with a request whose reader had lagged.</summary>
    public void Resume(Request request) => Post(new Command(Act.Resume, request));

    /// <summary>Runs something between two steps, where scheduler, allocator and pages may be used.</summary>
    /// <exception cref="InferenceException">The engine was disposed.</exception>
    public Task<T> InvokeAsync<T>(Func<T> function)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Post(new Command(Act.Call, null, () =>
        {
            try
            {
                if (stopping) result.TrySetException(new InferenceException("the engine was disposed"));
                else result.TrySetResult(function());
            }
            catch (Exception e)
            {
                result.TrySetException(e);
            }
        }));
        crossings?.Await("answer", () => result.Task.IsCompleted);
        return result.Task;
    }

    /// <summary>Checks every invariant of the allocator between two steps.</summary>
    public Task<KvStatistics> VerifyAsync() => InvokeAsync(() =>
    {
        allocator.Verify();
        return allocator.Statistics();
    });

    /// <summary>Counts the most sequences at once anew.</summary>
    public Task<bool> ResetPeakAsync() => InvokeAsync(() =>
    {
        totals = totals with { PeakRunning = scheduler.RunningCount };
        Publish();
        return true;
    });

    /// <summary>Ends a request; its blocks are free, or cached, before the next step.</summary>
    public void Cancel(Request request) => Post(new Command(Act.Cancel, request));

    private void Post(Command command)
    {
        crossings?.Reach("post");
        inbox.Enqueue(command);
        crossings?.Reach("wake");
        wake.Release();
        crossings?.Reach("posted");
        // Either the engine's thread finds the command when it clears the inbox for the last time, or that time is seen here to be past.
        Interlocked.MemoryBarrier();
        if (ended) ClearInbox();
    }

    private void Run()
    {
        crossings?.Enter(thread.Name!);
        try
        {
            while (!stopping)
            {
                if (!scheduler.HasWork)
                {
                    crossings?.Await("idle", () => wake.CurrentCount > 0);
                    wake.Wait();
                }
                crossings?.Reach("drain");
                while (inbox.TryDequeue(out Command command))
                {
                    Handle(command);
                    crossings?.Reach("drain");
                }
                if (scheduler.HasWork && !stopping) Step();
            }
        }
        catch (Exception e)
        {
            logger.Fatal(e, "The engine's thread ended");
            stopping = true;
        }
        crossings?.Reach("end");
        ended = true;
        Interlocked.MemoryBarrier();
        ClearInbox();
        foreach (Request request in requests.Values) End(request);
        requests.Clear();
        crossings?.Reach("ended");
        crossings?.Leave();
    }

    private void Handle(Command command)
    {
        switch (command.Act)
        {
            case Act.Submit: HandleSubmit(command.Request!); break;
            case Act.Cancel: HandleCancel(command.Request!); break;
            case Act.Resume: scheduler.Resume(command.Request!.Sequence); break;
            default: command.Call!(); break;
        }
        Publish();
    }

    private void HandleSubmit(Request request)
    {
        if (request.IsFinished)
        {
            Dequeue(request);
            return;
        }
        try
        {
            scheduler.Add(request.Sequence);
            requests.Add(request.Sequence, request);
        }
        catch (RequestRefusedException e)
        {
            Dequeue(request);
            telemetry.Refused(request, e.Message);
            request.End(FinishReason.Error, new InferenceException(e.Message, e));
        }
    }

    private void HandleCancel(Request request)
    {
        if (request.IsFinished) return;
        if (requests.Remove(request.Sequence))
        {
            Dequeue(request);
            scheduler.Cancel(request.Sequence);
        }
        Publish();
        request.End(FinishReason.Cancelled, new OperationCanceledException("the request was cancelled"));
    }

    /// <summary>The request waits no more for its first step.</summary>
    private void Dequeue(Request request)
    {
        if (!request.IsQueued) return;
        request.IsQueued = false;
        request.Generation.QueueTime = Stopwatch.GetElapsedTime(request.SubmittedAt);
        Interlocked.Decrement(ref QueuedOf(request.Options.Priority));
    }

    private Throughput prefill, decode;
    private StepTotals totals;
    private TokenTotals tokens;

    private void Step()
    {
        long start = Stopwatch.GetTimestamp();
        StepPlan plan = scheduler.Plan();
        long plannedAt = Stopwatch.GetTimestamp();
        EndExpired(plan);
        if (plan.SequenceCount == 0) return;
        for (int i = 0; i < plan.SequenceCount; i++)
        {
            planned[i] = requests[plan.Sequences[i]];
            Dequeue(planned[i]);
        }
        ReadOnlySpan<Request> active = planned.AsSpan(0, plan.SequenceCount);
        try
        {
            runner.Run(plan, planned, results);
        }
        catch (Exception e)
        {
            Fail(plan, active, e);
            return;
        }
        long ranAt = Stopwatch.GetTimestamp();
        crossings?.Reach("commit");
        int decodeRows = plan.DecodeRows, prefillRows = plan.PrefillRows;
        (long slots, long unused) = scheduler.CountSlots();
        int running = scheduler.RunningCount;
        scheduler.Commit(plan, results);
        Count(active);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (decodeRows == 0) prefill = new Throughput(prefill.Tokens + prefillRows, prefill.Seconds + seconds);
        else if (prefillRows == 0) decode = new Throughput(decode.Tokens + decodeRows, decode.Seconds + seconds);
        totals = new StepTotals(totals.Running + running, Math.Max(totals.PeakRunning, running), totals.PromptRows + prefillRows, totals.Slots + slots, totals.UnusedSlots + unused,
            totals.Seconds + seconds, totals.ForwardSeconds + (double)runner.ForwardTicks / Stopwatch.Frequency);
        Publish();
        int paused = scheduler.PausedCount;
        foreach (Request request in active)
        {
            crossings?.Reach("deliver");
            if (request.Deliver()) scheduler.Pause(request.Sequence);
        }
        // Seen with the next snapshot: who has the last token must find it counted.
        totals = totals with { Seconds = totals.Seconds + Stopwatch.GetElapsedTime(start).TotalSeconds - seconds };
        if (scheduler.PausedCount != paused) Publish();
        telemetry.RecordStep(new StepTimes(plannedAt - start, ranAt - plannedAt - runner.SampleTicks, runner.SampleTicks, Stopwatch.GetTimestamp() - ranAt));
        telemetry.Watch(statistics);
    }

    private void Count(ReadOnlySpan<Request> active)
    {
        (long prompt, long generated, long queried, long found) = tokens;
        for (int i = 0; i < active.Length; i++)
        {
            ScheduledSequence sequence = active[i].Sequence;
            generated += results.Tokens(i).Length;
            if (active[i].BeginsAnswer)
            {
                prompt += sequence.PromptLength;
                if (sequence.Kv.Root is not null)
                {
                    queried += sequence.PromptLength;
                    found += sequence.CachedLength;
                }
            }
            if (active[i].IsFinished) requests.Remove(sequence);
        }
        tokens = new TokenTotals(prompt, generated, queried, found);
    }

    private int CountSwapped()
    {
        int swapped = 0;
        if (EngineMeter.Swapped.Enabled)
            foreach (ScheduledSequence sequence in requests.Keys)
                if (sequence.Kv.IsSwapped) swapped++;
        return swapped;
    }

    private void EndExpired(StepPlan plan)
    {
        if (!plan.Expired.IsEmpty) Publish();
        foreach (ScheduledSequence sequence in plan.Expired)
        {
            if (!requests.Remove(sequence, out Request? request)) continue;
            Dequeue(request);
            request.End(FinishReason.Error, new RequestTimeoutException(sequence.Timeout!.Value));
        }
    }

    /// <summary>A step that failed ends its requests, and those whose blocks it was to move to the host; the engine and the waiting ones go on.</summary>
    private void Fail(StepPlan plan, ReadOnlySpan<Request> active, Exception e)
    {
        logger.Error(e, "A step of {Sequences} sequences failed", plan.SequenceCount);
        List<Request> failed = [.. active];
        if (plan.HasOperations)
            foreach (ScheduledSequence sequence in plan.Preempted)
                if (sequence.Kv.IsSwapped) failed.Add(requests[sequence]);
        scheduler.Abandon(plan);
        // Nobody knows what a step that failed has written.
        foreach (Request request in failed)
            if (requests.Remove(request.Sequence)) scheduler.Discard(request.Sequence);
        plan.DropOperations();
        Publish();
        foreach (Request request in failed) request.End(FinishReason.Error, new InferenceException("the step failed: " + e.Message, e));
    }

    /// <summary>Ends what came too late, on the engine's thread or a caller's.</summary>
    private void ClearInbox()
    {
        while (inbox.TryDequeue(out Command command))
        {
            command.Call?.Invoke();
            if (command.Act == Act.Submit) End(command.Request!);
            crossings?.Reach("clear");
        }
    }

    private static void End(Request request) => request.End(FinishReason.Error, new InferenceException("the engine was disposed"));

    private void Publish()
    {
        SchedulerStatistics now = scheduler.Statistics;
        lock (snapshot) statistics = new Snapshot(now, scheduler.RunningCount, scheduler.WaitingCount, scheduler.PausedCount, allocator.Statistics(), prefill, decode, totals, tokens, CountSwapped());
    }

    public void Dispose()
    {
        crossings?.Reach("stop");
        stopping = true;
        crossings?.Reach("stopping");
        wake.Release();
        crossings?.Join(thread.Name!);
        thread.Join();
        telemetry.Dispose();
        runner.Dispose();
    }
}
