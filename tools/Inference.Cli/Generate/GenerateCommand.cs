using System.CommandLine;

namespace Inference.Cli;

/// <summary><c>generate</c>: continues one or several prompts.</summary>
internal sealed class GenerateCommand
{
    private readonly CliConsole console;
    private readonly Argument<string?> model = CommonOptions.OptionalModel();
    private readonly PromptSource prompts = new();
    private readonly SamplingCliOptions sampling = new();
    private readonly EngineCliOptions engine = new();
    private readonly Option<int?> samples = CliOption.Integer("--n", "Independent samples of each prompt. Default 1.", 1, 1024);
    private readonly Option<int?> logprobs = CliOption.Integer("--logprobs", "With --json: log probability of each token, beside those of the N most likely.", 0, 100);
    private readonly Option<int?> promptLogprobs = CliOption.Integer("--prompt-logprobs", "With --json: the same for each token of the prompt.", 0, 100);
    private readonly Option<bool> logitHash = CliOption.Flag("--logit-hash", "With --json: a 64-bit hash of each step's raw logits, to compare runs bit by bit.");
    private readonly Option<string?> promptCache = new("--prompt-cache") { Description = "File that keeps what is computed of the prompt: read where it is there, and written where it does not cover the prompt.", HelpName = "FILE", Arity = ArgumentArity.ExactlyOne };
    private readonly Option<bool> json = CliOption.Flag("--json", "Print one JSON object at the end instead of text.");

    private GenerateCommand(CliConsole console) => this.console = console;

    public static Command Create(CliConsole console)
    {
        var self = new GenerateCommand(console);
        var command = new Command("generate", "Continues a prompt. Text goes to standard output as it is made; several texts are printed in order, separated by a newline. Ctrl-C stops with what was made.") { self.model };
        self.prompts.AddTo(command);
        self.sampling.AddTo(command);
        foreach (Option option in (Option[])[self.samples, self.logprobs, self.promptLogprobs, self.logitHash, self.promptCache, self.json]) command.Add(option);
        self.engine.AddTo(command, sizes: true);
        command.SetAction((parsed, _) => self.RunAsync(parsed));
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed)
    {
        bool asJson = parsed.GetValue(json);
        GenerationOptions options = ReadOptions(parsed, asJson);
        EngineOptions engineOptions = engine.Read(parsed);
        ModelSource source = CommonOptions.Source(parsed.GetValue(model));
        string[] texts = await prompts.ReadAsync(parsed, console).ConfigureAwait(false);

        string? cacheFile = parsed.GetValue(promptCache);
        if (cacheFile is not null && texts.Length > 1) throw new UsageException("--prompt-cache needs a single prompt");
        if (cacheFile is not null && !engineOptions.PrefixCaching) throw new UsageException("--prompt-cache and --no-prefix-cache exclude each other");

        await using InferenceEngine loaded = await EngineLoader.LoadAsync(console, source, engineOptions).ConfigureAwait(false);
        var run = new GenerateRun(console, loaded);
        SavedPrefix? cached = cacheFile is not null && File.Exists(cacheFile) ? await loaded.LoadPrefixAsync(cacheFile).ConfigureAwait(false) : null;
        run.Submit(texts, parsed.GetValue(samples) ?? 1, options);
        if (asJson)
        {
            await run.CollectAsync().ConfigureAwait(false);
            GenerateJson.Write(console.Out, run);
        }
        else
        {
            await run.PrintAsync().ConfigureAwait(false);
        }
        Exception? error = run.Completions.Select(c => c.Error).FirstOrDefault(e => e is not null);
        if (error is not null) throw error;
        if (cacheFile is not null && !console.Cancellation.IsCancellationRequested) await SaveAsync(loaded, cacheFile, cached, run.Completions[0].Generation.PromptTokenIds, engineOptions.BlockSize).ConfigureAwait(false);
        return console.Cancellation.IsCancellationRequested ? ExitCode.Cancelled : ExitCode.Done;
    }

    /// <summary>Saves the prompt unless what was loaded covers its whole blocks already.</summary>
    private async Task SaveAsync(InferenceEngine loaded, string path, SavedPrefix? cached, IReadOnlyList<int> prompt, int blockSize)
    {
        int whole = prompt.Count / blockSize * blockSize;
        if (whole == 0 || cached is not null && cached.TokenIds.Count >= whole && cached.TokenIds.Take(whole).SequenceEqual(prompt.Take(whole))) return;
        await loaded.SavePrefixAsync(path, prompt, cancellationToken: console.Cancellation).ConfigureAwait(false);
    }

    private GenerationOptions ReadOptions(ParseResult parsed, bool asJson)
    {
        GenerationOptions options = sampling.Read(parsed) with
        {
            Logprobs = parsed.GetValue(logprobs),
            PromptLogprobs = parsed.GetValue(promptLogprobs),
            LogitHash = parsed.GetValue(logitHash),
        };
        string? needsJson = options.Logprobs is not null ? logprobs.Name : options.PromptLogprobs is not null ? promptLogprobs.Name : options.LogitHash ? logitHash.Name : null;
        if (!asJson && needsJson is not null) throw new UsageException($"{needsJson} needs --json");
        return options;
    }
}
