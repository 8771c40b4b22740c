using System.CommandLine;
using Inference.Models;

namespace Inference.Cli;

/// <summary><c>bench serve</c>: many requests at once through one engine, as a server would have them.</summary>
internal sealed class BenchServeCommand
{
    private const int DefaultRequests = 16;

    /// <summary>Lengths of the nano-vllm benchmark, where the model's context has room for them.</summary>
    private static readonly TokenRange Usual = new(100, 1024);

    private readonly CliConsole console;
    private readonly Argument<string?> model = CommonOptions.OptionalModel();
    private readonly EngineCliOptions engine = new();
    private readonly Option<int?> requests = CliOption.Integer("--requests", "Requests in all. Default 16.", 1, 1 << 20);
    private readonly Option<TokenRange?> input = Range("--input-tokens", "Tokens of a prompt, drawn uniformly. Default 100-1024, less where the model's context is short.");
    private readonly Option<TokenRange?> output = Range("--output-tokens", "Tokens of an answer, drawn uniformly; end tokens do not end it. Default 100-1024, less where the model's context is short.");
    private readonly Option<float?> rate = CliOption.Real("--rate", "Requests a second, with the gaps of a Poisson process. Default: all at once.", "a number above 0", x => x > 0);
    private readonly Option<float[]?> rates = CliOption.Reals("--rates", "Several rates, one after the other on one engine; each gets --requests requests, or as many as come in --seconds.", "numbers above 0, separated by commas", x => x > 0);
    private readonly Option<float?> seconds = CliOption.Real("--seconds", "With --rates: how long requests come at each.", "a number above 0", x => x > 0);
    private readonly Option<int?> concurrency = CliOption.Integer("--concurrency", "Requests in flight at once; the next is sent when one has ended. Default: no limit.", 1, 1 << 20);
    private readonly Option<int?> sharedPrefix = CliOption.Integer("--shared-prefix", "Tokens that every prompt begins with, before its own. Default 0.", 0, 1 << 20);
    private readonly Option<int?> seed = CliOption.Integer("--seed", "Seed of lengths, tokens and arrivals. Default 1.", 0);
    private readonly Option<string?> sampling = CliOption.Choice("--sampling", "greedy, or top-p: temperature 0.8, the 40 most likely tokens, of these 0.95. Default greedy.", "greedy", "top-p");
    private readonly Option<int?> maxQueued = CliOption.Integer("--max-queued", "Requests that may wait for their first step; more are refused. Default: no limit.", 1);
    private readonly Option<int[]?> priorities = CliOption.List("--priorities", "Scheduling classes that the requests have in turn. Default 0.", -1000, 1000);
    private readonly Option<bool> contiguous = CliOption.Flag("--contiguous", "For comparison: no more sequences at once than the KV memory holds reservations of the whole --context. Needs --kv-blocks.");
    private readonly Option<bool> asJson = CliOption.Flag("--json", "Print one JSON object, with every request.");

    private BenchServeCommand(CliConsole console) => this.console = console;

    public static Command Create(CliConsole console)
    {
        var self = new BenchServeCommand(console);
        var command = new Command("serve", "Serves many requests of random tokens at once and reports throughput, latencies and the use of KV memory.")
        {
            self.model, self.requests, self.input, self.output, self.rate, self.rates, self.seconds, self.concurrency, self.sharedPrefix, self.seed, self.sampling, self.maxQueued, self.priorities, self.contiguous, self.asJson,
        };
        self.engine.AddTo(command, sizes: true);
        command.SetAction((parsed, _) => self.RunAsync(parsed));
        return command;
    }

    private static Option<TokenRange?> Range(string name, string help) => CliOption.Single<TokenRange?>(name, "MIN-MAX", help, "a number of tokens or a range such as 100-1024", TokenRange.TryParse);

    private async Task<int> RunAsync(ParseResult parsed)
    {
        ModelSource source = CommonOptions.Source(parsed.GetValue(model));
        EngineOptions options = engine.Read(parsed) with { MaxQueuedRequests = parsed.GetValue(maxQueued) };
        int context = options.ContextLength ?? ModelNumbers.Of(source.Resolve()).Context;
        ServeLoad load = ReadLoad(parsed, context);
        if (parsed.GetValue(contiguous)) options = Reserve(options, context);
        GenerationOptions how = parsed.GetValue(sampling) == "top-p"
            ? new GenerationOptions { IgnoreEos = true, Temperature = 0.8f, TopK = 40, TopP = 0.95f, Seed = (ulong)load.Seed }
            : new GenerationOptions { IgnoreEos = true };
        await using InferenceEngine loaded = await EngineLoader.LoadAsync(console, source, options).ConfigureAwait(false);
        var runner = new ServeRunner(loaded, how, parsed.GetValue(concurrency), console.Cancellation);
        await runner.WarmUpAsync().ConfigureAwait(false);
        ServeLoad[] loads = Loads(parsed, load);
        List<ServeReport> reports = [];
        foreach (ServeLoad one in loads)
        {
            int before = runner.Done;
            Task<ServeResult> running = runner.RunAsync(one.Draw(loaded.VocabularySize, reports.Count));
            if (console.ErrorIsTerminal) await TerminalProgress.ShowAsync(loads.Length == 1 ? "Serving" : $"Serving {one.Rate:0.###}/s", () => (double)(runner.Done - before) / one.Requests, running).ConfigureAwait(false);
            reports.Add(new ServeReport(loaded.ModelName, one, options, parsed.GetValue(contiguous), await running.ConfigureAwait(false)));
        }
        Write(parsed, reports);
        return ExitCode.Done;
    }

    /// <summary>One load for each of <c>--rates</c>, with the same lengths as far as they go.</summary>
    private ServeLoad[] Loads(ParseResult parsed, ServeLoad load)
    {
        float? span = parsed.GetValue(seconds);
        if (parsed.GetValue(rates) is not { Length: > 0 } several) return span is null ? [load] : throw new UsageException("--seconds needs --rates");
        if (load.Rate is not null || parsed.GetValue(concurrency) is not null) throw new UsageException("--rates excludes --rate and --concurrency");
        if (span is not null && parsed.GetValue(requests) is not null) throw new UsageException("--seconds and --requests exclude each other");
        return [.. several.Select(r => load with { Rate = r, Requests = span is { } s ? Math.Max(1, (int)Math.Min(r * (double)s, 1 << 20)) : load.Requests })];
    }

    private void Write(ParseResult parsed, List<ServeReport> reports)
    {
        bool json = parsed.GetValue(asJson);
        if (parsed.GetValue(rates) is null or [])
        {
            if (json) reports[0].WriteJson(console.Out);
            else reports[0].WriteText(console.Out);
            return;
        }
        var sweep = new ServeSweep(reports);
        if (json) sweep.WriteJson(console.Out);
        else sweep.WriteText(console.Out);
    }

    private ServeLoad ReadLoad(ParseResult parsed, int context)
    {
        int prefix = parsed.GetValue(sharedPrefix) ?? 0, most = Math.Clamp((context - prefix) / 2, 1, Usual.Most);
        var usual = new TokenRange(Math.Min(Usual.Least, most), most);
        var load = new ServeLoad(parsed.GetValue(requests) ?? DefaultRequests, parsed.GetValue(input) ?? usual, parsed.GetValue(output) ?? usual, prefix, parsed.GetValue(rate), parsed.GetValue(seed) ?? 1, parsed.ListOr(priorities, 0));
        if (load.LongestSequence > context)
            throw new UsageException($"--shared-prefix {prefix}, --input-tokens {load.Input} and --output-tokens {load.Output} need a context of {load.LongestSequence} tokens, and there are {context}");
        return load;
    }

    /// <summary>
    /// What an engine can run at once that reserves memory for the longest sequence when it admits one: with paged memory underneath the same sequences run, and none is preempted.
    /// </summary>
    private static EngineOptions Reserve(EngineOptions options, int context)
    {
        if (options.KvBlocks is not { } blocks) throw new UsageException("--contiguous needs --kv-blocks");
        int reservations = blocks / ((context + options.BlockSize - 1) / options.BlockSize);
        if (reservations == 0) throw new UsageException($"--contiguous: {blocks} blocks of {options.BlockSize} tokens hold no reservation of {context} tokens");
        return options with { MaxSequences = Math.Min(options.MaxSequences, reservations) };
    }
}
