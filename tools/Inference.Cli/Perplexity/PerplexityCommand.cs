using System.CommandLine;
using Inference.Evaluation;

namespace Inference.Cli;

/// <summary><c>perplexity</c>: how well a model predicts a text, and how far its distributions are from another run's.</summary>
internal sealed class PerplexityCommand
{
    private const int DefaultContext = 512;

    private readonly CliConsole console;
    private readonly Argument<string?> model = CommonOptions.OptionalModel();
    private readonly EngineCliOptions engine = new();
    private readonly Option<string?> file = FilePath("--file", "The text, UTF-8; it is not trimmed.");
    private readonly Option<int?> context = CliOption.Integer("--context", "Tokens of a window. Default 512, or the model's context where that is shorter.", 2);
    private readonly Option<string?> klBase = FilePath("--kl-base", "Compare with these logits of another run: KL divergence and share of equal most likely tokens.");
    private readonly Option<string?> saveLogits = FilePath("--save-logits", "Write every row of logits here, for --kl-base of other runs: two bytes a token of the vocabulary and token of the text.");
    private readonly Option<bool> json = CliOption.Flag("--json", "Print one JSON object.");

    private PerplexityCommand(CliConsole console) => this.console = console;

    public static Command Create(CliConsole console)
    {
        var self = new PerplexityCommand(console);
        self.file.Required = true;
        var command = new Command("perplexity", "Measures how well a model predicts a text, in windows of the begin-of-text token and N - 1 tokens that do not overlap.")
        {
            self.model, self.file, self.context, self.klBase, self.saveLogits, self.json,
        };
        self.engine.AddTo(command, sizes: false);
        command.SetAction((parsed, _) => self.RunAsync(parsed));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        ModelSource source = CommonOptions.Source(parsed.GetValue(model));
        string text = await TextFile.ReadAsync(parsed.GetValue(file)!, console.Cancellation).ConfigureAwait(false);
        string? basePath = parsed.GetValue(klBase), savePath = parsed.GetValue(saveLogits);
        if (basePath is not null && savePath is not null && Path.GetFullPath(basePath) == Path.GetFullPath(savePath))
            throw new UsageException("--save-logits would overwrite the file of --kl-base");
        using SavedLogitsReader? baseline = basePath is null ? null : new SavedLogitsReader(basePath);
        int modelContext = ModelNumbers.Of(source.Resolve()).Context, length = parsed.GetValue(context) ?? Math.Min(DefaultContext, modelContext);
        if (length > modelContext) throw new UsageException($"--context {length} is more than the {modelContext} tokens of the model");

        EngineOptions options = engine.Read(parsed);
        // The run has pages and activations of its own; the engine's are as small as they can be.
        EngineOptions idle = options with { KvBlocks = 1, MaxSequences = 1, MaxBatchTokens = 1 };
        await using InferenceEngine loaded = await EngineLoader.LoadAsync(console, source, idle, describe: false).ConfigureAwait(false);
        var windows = new TextWindows(loaded.Tokenizer.Encode(text, addSpecial: false, parseSpecial: false), loaded.Tokenizer.BosId, length);
        using var run = new PerplexityRun(loaded, options, windows, divergence: basePath is not null || savePath is not null);
        baseline?.Head.Require(run.Head, basePath!);
        using SavedLogitsWriter? save = savePath is null ? null : new SavedLogitsWriter(savePath, run.Head);
        PerplexityResult result = TerminalProgress.Run(console, "Perplexity", windows.Count, report => run.Run(baseline, save, report, console.Cancellation));
        save?.Complete();
        var report = new PerplexityReport(loaded, run.Layout, windows, result, baseline?.Head.Model);
        if (parsed.GetValue(json)) report.WriteJson(console.Out);
        else report.Write(console.Out);
        return ExitCode.Done;
    }

    private static Option<string?> FilePath(string name, string help) => CliOption.Single<string?>(name, "FILE", help, "a file name", (string text, out string? value) => !string.IsNullOrWhiteSpace(value = text));
}
