using System.Diagnostics;

namespace Inference.Cli;

/// <summary>Several prompts, each with its samples, at once in one engine; taken in order.</summary>
internal sealed class GenerateRun(CliConsole console, InferenceEngine engine)
{
    private readonly List<Completion> completions = [];
    private long submitted;

    public InferenceEngine Engine { get; } = engine;

    /// <summary>In order of prompts, then of samples.</summary>
    public IReadOnlyList<Completion> Completions => completions;

    /// <summary>From the hand-over of the first prompt to its first token; null without one.</summary>
    public TimeSpan? FirstToken { get; private set; }

    public void Submit(string[] prompts, int samples, GenerationOptions options)
    {
        submitted = Stopwatch.GetTimestamp();
        for (int p = 0; p < prompts.Length; p++)
            foreach (Generation sample in Engine.GenerateSamplesAsync(prompts[p], options with { Samples = samples }, console.Cancellation)) completions.Add(new Completion(p, sample));
    }

    /// <summary>Waits for all answers.</summary>
    public async Task CollectAsync()
    {
        foreach (Completion completion in completions) await completion.CollectAsync(_ => FirstToken ??= Stopwatch.GetElapsedTime(submitted)).ConfigureAwait(false);
    }

    /// <summary>
    /// Prints texts as they are made, a newline between two of them; a terminal gets one after the last as well. The first answer streams live,
    /// and what later ones make meanwhile waits in their streams.
    /// </summary>
    public async Task PrintAsync()
    {
        bool endsWithNewline = true;
        foreach (Completion completion in completions)
        {
            bool separated = completion == completions[0];
            await completion.CollectAsync(token =>
            {
                FirstToken ??= Stopwatch.GetElapsedTime(submitted);
                Separate();
                Write(token.Text);
            }).ConfigureAwait(false);
            // An answer that ended at once is an empty line; one that was cancelled before its first token is nothing.
            if (completion.FinishReason != FinishReason.Cancelled) Separate();

            void Separate()
            {
                if (!separated) Write("\n");
                separated = true;
            }
        }
        if (console.OutputIsTerminal && !endsWithNewline) Write("\n");
        if (console.OutputIsTerminal) console.WriteNote(Summary());

        void Write(string text)
        {
            if (text.Length == 0) return;
            console.Out.Write(text);
            console.Out.Flush();
            endsWithNewline = text.EndsWith('\n');
        }
    }

    private string Summary()
    {
        EngineStatistics statistics = Engine.GetStatistics();
        int made = completions.Sum(c => c.TokenIds.Count), read = completions.Sum(c => c.Generation.PromptTokenIds.Count);
        string start = FirstToken is { } first ? $", loaded in {statistics.LoadMilliseconds:F0} ms, first token {first.TotalMilliseconds:F0} ms later, {CompileTime(statistics).TotalMilliseconds:F0} ms of both compiling" : "";
        return $"[{read} prompt tokens{Rate(statistics.PrefillTokens, statistics.PrefillSeconds)}, {made} tokens{Rate(statistics.DecodeTokens, statistics.DecodeSeconds)}, {completions[^1].FinishReason.ToString().ToLowerInvariant()}{start}]";

        static string Rate(long tokens, double seconds) => seconds > 0 ? $" at {tokens / seconds:F0}/s" : "";
    }

    /// <summary>What loading and the first steps spent on compiling: a GPU's kernels, and what .NET had to compile of this program itself.</summary>
    public static TimeSpan CompileTime(EngineStatistics statistics) => TimeSpan.FromMilliseconds(statistics.CompileMilliseconds) + System.Runtime.JitInfo.GetCompilationTime();
}
