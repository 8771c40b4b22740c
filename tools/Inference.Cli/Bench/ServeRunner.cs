using System.Diagnostics;

namespace Inference.Cli;

/// <summary>What became of a request.</summary>
/// <param name="Request">What was asked.</param>
/// <param name="OutputTokens">Tokens that came; 0 if it was refused.</param>
/// <param name="CachedTokens">Prompt tokens that were not computed.</param>
/// <param name="FirstToken">Seconds from its arrival to its first token.</param>
/// <param name="TokenGap">Mean seconds between its tokens; NaN for fewer than two.</param>
/// <param name="Queued">Seconds from its arrival to its first step.</param>
/// <param name="Served">Seconds from its first step to its last token.</param>
/// <param name="Gaps">Seconds between one token and the next.</param>
internal sealed record ServeOutcome(ServeRequest Request, int OutputTokens, int CachedTokens, double FirstToken, double TokenGap, double Queued, double Served, IReadOnlyList<double> Gaps)
{
    public bool IsRefused => OutputTokens == 0;
}

/// <summary>Sends a load to an engine as its callers would, and notes when tokens come.</summary>
/// <param name="engine">The engine.</param>
/// <param name="sampling">Options of every request, but for its length and priority.</param>
/// <param name="concurrency">Requests in flight at once; null for no limit.</param>
/// <param name="cancellation">Ends the run.</param>
internal sealed class ServeRunner(InferenceEngine engine, GenerationOptions sampling, int? concurrency, CancellationToken cancellation)
{
    private int done;

    /// <summary>Requests that have ended.</summary>
    public int Done => Volatile.Read(ref done);

    /// <summary>Runs one short request, so that nothing is compiled or mapped for the first time while it is timed.</summary>
    public async Task WarmUpAsync()
    {
        int[] prompt = new int[8];
        Array.Fill(prompt, engine.VocabularySize - 1);
        await foreach (GeneratedToken _ in engine.GenerateAsync(prompt, sampling with { MaxTokens = 2 }, cancellation).ConfigureAwait(false)) { }
        await IdleAsync().ConfigureAwait(false);
    }

    /// <summary>Sends every request at its time and waits for all; the first failure ends the run.</summary>
    public async Task<ServeResult> RunAsync(ServeRequest[] requests)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var slots = new SemaphoreSlim(concurrency ?? int.MaxValue);
        await engine.ResetPeakAsync().ConfigureAwait(false);
        EngineStatistics before = engine.GetStatistics();
        long start = Stopwatch.GetTimestamp();
        var running = new Task<ServeOutcome>[requests.Length];
        Exception? failure = null;
        int sent = 0;
        try
        {
            foreach (ServeRequest request in requests)
            {
                TimeSpan wait = TimeSpan.FromSeconds(request.Arrival) - Stopwatch.GetElapsedTime(start);
                if (wait > TimeSpan.Zero) await Task.Delay(wait, stop.Token).ConfigureAwait(false);
                await slots.WaitAsync(stop.Token).ConfigureAwait(false);
                // What comes at a rate has waited since its arrival, whether or not it could be sent then.
                long arrival = request.Arrival > 0 && concurrency is null ? start + (long)(request.Arrival * Stopwatch.Frequency) : Stopwatch.GetTimestamp();
                running[sent++] = OneAsync(request, arrival);
            }
        }
        catch (OperationCanceledException)
        {
            // What ended the run is found below.
        }
        ServeOutcome[] outcomes = await Task.WhenAll(running.AsSpan(0, sent)).ConfigureAwait(false);
        cancellation.ThrowIfCancellationRequested();
        TimeSpan elapsed = Stopwatch.GetElapsedTime(start);
        await IdleAsync().ConfigureAwait(false);
        return new ServeResult(outcomes, elapsed.TotalSeconds, before, engine.GetStatistics());

        async Task<ServeOutcome> OneAsync(ServeRequest request, long arrival)
        {
            try
            {
                return await SendAsync(request, arrival, stop.Token).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                // The others would run to their ends before anyone heard of it.
                if (Interlocked.CompareExchange(ref failure, e, null) is { } earlier && e is OperationCanceledException) throw earlier;
                await stop.CancelAsync().ConfigureAwait(false);
                throw;
            }
            finally
            {
                Interlocked.Increment(ref done);
                slots.Release();
            }
        }
    }

    private async Task<ServeOutcome> SendAsync(ServeRequest request, long arrival, CancellationToken stop)
    {
        Generation generation;
        long submitted = Stopwatch.GetTimestamp();
        try
        {
            generation = engine.GenerateAsync(request.Prompt, sampling with { MaxTokens = request.OutputTokens, Priority = request.Priority }, stop);
        }
        catch (QueueFullException)
        {
            return new ServeOutcome(request, 0, 0, double.NaN, double.NaN, double.NaN, double.NaN, []);
        }
        long first = 0, last = 0;
        int count = 0;
        List<double> gaps = new(request.OutputTokens);
        await foreach (GeneratedToken _ in generation.ConfigureAwait(false))
        {
            long now = Stopwatch.GetTimestamp();
            if (count++ == 0) first = now;
            else gaps.Add(Stopwatch.GetElapsedTime(last, now).TotalSeconds);
            last = now;
        }
        if (count != request.OutputTokens) throw new InferenceException($"{count} tokens came instead of {request.OutputTokens}");
        double gap = count < 2 ? double.NaN : Stopwatch.GetElapsedTime(first, last).TotalSeconds / (count - 1);
        double queued = Stopwatch.GetElapsedTime(arrival, submitted).TotalSeconds + generation.QueueTime.TotalSeconds;
        return new ServeOutcome(request, count, generation.CachedTokens, Stopwatch.GetElapsedTime(arrival, first).TotalSeconds, gap, queued, Stopwatch.GetElapsedTime(arrival, last).TotalSeconds - queued, gaps);
    }

    /// <summary>A request's last token arrives before its blocks are free.</summary>
    private async Task IdleAsync()
    {
        while (engine.GetStatistics() is { Running: > 0 } or { Waiting: > 0 }) await Task.Delay(1, cancellation).ConfigureAwait(false);
    }
}
