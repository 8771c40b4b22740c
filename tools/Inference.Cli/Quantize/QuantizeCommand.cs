using System.CommandLine;
using Inference.Kernels;
using Inference.Models;

namespace Inference.Cli;

/// <summary><c>quantize</c>: writes a model with its weights in smaller types.</summary>
internal static class QuantizeCommand
{
    private static readonly string TypeNames = string.Join(", ", QuantizationMix.All.Select(mix => mix.Name));

    public static Command Create(CliConsole console)
    {
        var input = new Argument<string>("IN") { Description = "GGUF file in F32, F16 or BF16." };
        var output = new Argument<string>("OUT") { Description = "GGUF file to write; it appears when it is complete." };
        var type = new Argument<string>("TYPE") { Description = TypeNames + "." };
        foreach (Argument<string> argument in (Argument<string>[])[input, output, type]) argument.Validators.Add(CommandLineApp.RefuseOptions);
        var options = new QuantizationCliOptions();
        Option<bool> requantize = CliOption.Flag("--requantize", "Also take weights that are quantised already; their errors add up.");
        var command = new Command("quantize", "Writes a GGUF file with its weights in another type: smaller, and a little less exact.") { input, output, type };
        options.AddTo(command);
        command.Add(requantize);
        command.SetAction((parsed, _) =>
        {
            string from = parsed.GetRequiredValue(input), to = parsed.GetRequiredValue(output);
            QuantizationOptions quantization = options.Read(parsed, parsed.GetRequiredValue(type)) with { Requantize = parsed.GetValue(requantize) };
            return QuantizeRun.RunAsync(console, from, to, quantization);
        });
        return command;
    }

    /// <summary>The mix of that name, or an error that lists all.</summary>
    public static QuantizationMix Mix(string name) => QuantizationMix.Find(name) ?? throw new UsageException($"unknown type '{name}': choose from {TypeNames}");
}

/// <summary>Options of <c>quantize</c> and <c>convert</c>.</summary>
internal sealed class QuantizationCliOptions
{
    private static readonly string[] Types = [.. BlockEncoder.All.Select(encoder => encoder.Type.ToString())];

    private readonly Option<string?> imatrix = CliOption.Single<string?>("--imatrix", "FILE", "Importance matrix by llama-imatrix (GGUF or .dat): errors where inputs are large count more.", "a file", (string text, out string? value) => (value = text).Length > 0);
    private readonly Option<bool> pure = CliOption.Flag("--pure", "Give every matrix the same type. Default: mixes give more bits to some.");
    private readonly Option<TensorType?> outputType = Type("--output-tensor-type", "Type of the output matrix, for example Q8_0. Default: as the mix says.");
    private readonly Option<TensorType?> embeddingType = Type("--token-embedding-type", "Type of the token embedding, for example Q8_0. Default: as the mix says.");
    private readonly Option<int?> threads = CliOption.Integer("--threads", "Threads. Default: one per processor.", 1, 1024);
    private readonly Option<bool> force = CliOption.Flag("--force", "Replace OUT if it exists.");

    public void AddTo(Command command)
    {
        foreach (Option option in (Option[])[imatrix, pure, outputType, embeddingType, threads, force]) command.Add(option);
    }

    public QuantizationOptions Read(ParseResult parsed, string mix) => new(QuantizeCommand.Mix(mix))
    {
        Pure = parsed.GetValue(pure),
        OutputType = parsed.GetValue(outputType),
        EmbeddingType = parsed.GetValue(embeddingType),
        Importance = parsed.GetValue(imatrix) is { } file ? ImportanceMatrix.Read(file) : null,
        Threads = parsed.GetValue(threads) ?? 0,
        Replace = parsed.GetValue(force),
    };

    private static Option<TensorType?> Type(string name, string help) => CliOption.Single<TensorType?>(name, "TYPE", help, "one of " + string.Join(", ", Types), (string text, out TensorType? value) =>
    {
        value = Types.Contains(text, StringComparer.OrdinalIgnoreCase) ? Enum.Parse<TensorType>(text, ignoreCase: true) : null;
        return value is not null;
    });
}
