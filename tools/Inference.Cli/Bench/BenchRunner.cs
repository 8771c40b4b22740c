using System.Diagnostics;

namespace Inference.Cli;

/// <summary>Runs benchmark tests through the engine as any caller would, on random tokens.</summary>
/// <param name="engine">The engine.</param>
/// <param name="maxBatchTokens">Token rows of its steps.</param>
/// <param name="sharedPrefix">Whether the prompts of a batch differ in their last token only.</param>
/// <param name="profiler">What takes the steps apart, or null.</param>
/// <param name="cancellation">Stops it.</param>
internal sealed class BenchRunner(InferenceEngine engine, int maxBatchTokens, bool sharedPrefix, StepProfiler? profiler, CancellationToken cancellation)
{
    private readonly Random random = new(1);

    private const int WarmUpTokens = 8;

    /// <summary>
    /// A short warm-up, then the samples. One step of a prompt and a few tokens compile and touch all that a sample needs but for the KV memory of
    /// a long context.
    /// </summary>
    public async Task<BenchResult> RunAsync(BenchTest test, int repetitions, Action onSample)
    {
        var samples = new double[repetitions];
        await SampleAsync(test.Shortened(maxBatchTokens, WarmUpTokens)).ConfigureAwait(false);
        onSample();
        StepProfile? profile = profiler?.Begin(test.Measures);
        for (int i = 0; i < repetitions; i++)
        {
            samples[i] = await SampleAsync(test).ConfigureAwait(false);
            onSample();
        }
        if (profiler is null) return new BenchResult(test, samples);
        // The last step is told after its tokens are; this runs between two steps.
        await engine.VerifyAsync().ConfigureAwait(false);
        profiler.End();
        return new BenchResult(test, samples, profile);
    }

    private async Task<double> SampleAsync(BenchTest test)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var options = new GenerationOptions { MaxTokens = test.MaxTokens(maxBatchTokens), IgnoreEos = true };
        int[] prefix = sharedPrefix ? RandomTokens(test.PromptLength - 1) : [];
        int[][] prompts = [.. Enumerable.Range(0, test.Batch).Select(_ => (int[])[.. prefix, .. RandomTokens(test.PromptLength - prefix.Length)])];
        long start = Stopwatch.GetTimestamp();
        Task<long[]>[] arrivals = [.. prompts.Select(prompt => ArrivalsAsync(engine.GenerateAsync(prompt, options, stop.Token), options.MaxTokens))];
        long[][] times = await Task.WhenAll(arrivals).ConfigureAwait(false);
        await IdleAsync().ConfigureAwait(false);
        return test.IsPrefill ? test.Tokens / Stopwatch.GetElapsedTime(start, times[0][0]).TotalSeconds : DecodeRate(times, test.Tokens, Stopwatch.Frequency);
    }

    /// <summary>
    /// Tokens a second of all sequences together while every one of them decodes. Each is timed over <paramref name="tokens"/> tokens of its own,
    /// from its first arrival at or after the moment when the last one had its first: prefill is not in it, and no sequence has ended yet.
    /// </summary>
    /// <param name="arrivals">[sequence][token] ticks.</param>
    /// <param name="tokens">Tokens timed of each sequence.</param>
    /// <param name="ticksPerSecond">Unit of the ticks.</param>
    public static double DecodeRate(long[][] arrivals, int tokens, double ticksPerSecond)
    {
        long allRun = arrivals.Max(times => times[0]);
        double rate = 0;
        foreach (long[] times in arrivals)
        {
            // Of two sequences in one step either may be seen first; the end of the array bounds both.
            int first = Math.Min(Array.FindIndex(times, t => t >= allRun) is var i && i < 0 ? times.Length : i, times.Length - 1 - tokens);
            rate += tokens * ticksPerSecond / Math.Max(1, times[first + tokens] - times[first]);
        }
        return rate;
    }

    private static async Task<long[]> ArrivalsAsync(Generation generation, int tokens)
    {
        var times = new long[tokens];
        int count = 0;
        await foreach (GeneratedToken _ in generation.ConfigureAwait(false)) times[count++] = Stopwatch.GetTimestamp();
        return count == tokens ? times : throw new InferenceException($"{count} tokens came instead of {tokens}");
    }

    private int[] RandomTokens(int count)
    {
        var tokens = new int[count];
        for (int i = 0; i < count; i++) tokens[i] = random.Next(engine.VocabularySize);
        return tokens;
    }

    /// <summary>A request's last token arrives before its blocks are free.</summary>
    private async Task IdleAsync()
    {
        while (engine.GetStatistics() is { Running: > 0 } or { Waiting: > 0 }) await Task.Delay(1, cancellation).ConfigureAwait(false);
    }
}
