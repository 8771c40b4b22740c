using System.CommandLine;
using Inference.Models;

namespace Inference.Cli;

/// <summary><c>bench run</c>: tokens a second of a model, prefill and decode apart.</summary>
internal sealed class BenchRunCommand
{
    private const int DefaultPrefill = 512, DefaultGenerate = 128;

    private readonly CliConsole console;
    private readonly Argument<string?> model = CommonOptions.OptionalModel();
    private readonly EngineCliOptions engine = new();
    private readonly Option<int[]?> prefill = CliOption.List("--pp", "Prompt lengths whose prefill is timed, one prompt at a time; 0: none. Default 512, less where the model's context is short.", 0, 1 << 20);
    private readonly Option<int[]?> generate = CliOption.List("--tg", "Tokens whose generation is timed; 0: none. Default 128.", 0, 1 << 20);
    private readonly Option<int[]?> depth = CliOption.List("--depth", "Tokens in the context before generation is timed. Default 0.", 0, 1 << 20);
    private readonly Option<int[]?> batch = CliOption.List("--batch", "Sequences that generate at once. Default 1.", 1, 4096);
    private readonly Option<bool> sharedPrefix = CliOption.Flag("--shared-prefix", "Let the contexts of a batch be the same but for their last token, so that they lie on the same KV blocks.");
    private readonly Option<int?> repetitions = CliOption.Integer("--repetitions", "Samples of each test, after a warm-up. Default 5.", 1, 1000);
    private readonly Option<bool> profile = CliOption.Flag("--profile", "Also split the mean step of each test by operation, with the GB/s and GOP/s that its products reach.");
    private readonly Option<string?> format = BenchFormat.Option();

    private BenchRunCommand(CliConsole console) => this.console = console;

    public static Command Create(CliConsole console)
    {
        var self = new BenchRunCommand(console);
        var command = new Command("run", "Times prefill (pp) and generation (tg) of a model on random tokens, through the engine.") { self.model, self.prefill, self.generate, self.depth, self.batch, self.sharedPrefix, self.repetitions, self.profile, self.format };
        self.engine.AddTo(command, sizes: false);
        command.SetAction((parsed, _) => self.RunAsync(parsed));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        ModelSource source = CommonOptions.Source(parsed.GetValue(model));
        var inspection = Inspection.Of(source.Resolve());
        EngineOptions options = engine.Read(parsed);
        List<BenchTest> tests = Plan(parsed, ModelNumbers.Of(source.Resolve()).Context, options.MaxBatchTokens);
        int context = tests.Max(t => t.ContextLength(options.MaxBatchTokens));
        using StepProfiler? profiler = parsed.GetValue(profile) ? new StepProfiler() : null;
        options = options with
        {
            WrapKernels = profiler is null ? null : profiler.Wrap,
            ContextLength = context,
            MaxSequences = tests.Max(t => t.Batch),
            // Room for every sequence to its end: a preemption would be timed as generation.
            KvBlocks = tests.Max(t => t.Batch * ((t.ContextLength(options.MaxBatchTokens) + options.BlockSize - 1) / options.BlockSize)),
        };
        await using InferenceEngine loaded = await EngineLoader.LoadAsync(console, source, options).ConfigureAwait(false);
        int samples = parsed.GetValue(repetitions) ?? 5, done = 0;
        var runner = new BenchRunner(loaded, options.MaxBatchTokens, parsed.GetValue(sharedPrefix), profiler, console.Cancellation);
        var results = new List<BenchResult>();
        Task running = RunAllAsync();
        if (console.ErrorIsTerminal) await TerminalProgress.ShowAsync("Benchmark", () => done / ((samples + 1.0) * tests.Count), running).ConfigureAwait(false);
        await running.ConfigureAwait(false);
        new BenchReport(inspection, loaded.GetStatistics().Device, options, results).Write(console.Out, parsed.GetValue(format));
        return ExitCode.Done;

        async Task RunAllAsync()
        {
            foreach (BenchTest test in tests) results.Add(await runner.RunAsync(test, samples, () => done++).ConfigureAwait(false));
        }
    }

    private List<BenchTest> Plan(ParseResult parsed, int modelContext, int maxBatchTokens)
    {
        int[] batches = parsed.ListOr(batch, 1);
        if (batches.Max() >= maxBatchTokens) throw new UsageException($"--batch {batches.Max()} needs a --max-batch-tokens above it");
        // The largest usual length that leaves room for a token.
        int usual = DefaultPrefill;
        while (usual >= modelContext && usual > 1) usual /= 2;
        List<BenchTest> tests = BenchTest.Plan(parsed.ListOr(prefill, usual), parsed.ListOr(generate, Math.Min(DefaultGenerate, usual)), parsed.ListOr(depth, 0), batches);
        if (tests.Count == 0) throw new UsageException("--pp 0 and --tg 0 leave nothing to measure");
        foreach (BenchTest test in tests)
            if (test.ContextLength(maxBatchTokens) > modelContext)
                throw new UsageException($"{test.Name}{(test.Depth > 0 ? $" at depth {test.Depth}" : "")} with batch {test.Batch} needs a context of {test.ContextLength(maxBatchTokens)} tokens, and the model has {modelContext}");
        return tests;
    }
}
