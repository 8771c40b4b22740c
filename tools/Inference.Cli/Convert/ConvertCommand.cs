using System.CommandLine;
using Inference.Models;

namespace Inference.Cli;

/// <summary><c>convert</c>: writes a Hugging Face folder as a GGUF file.</summary>
internal static class ConvertCommand
{
    public static Command Create(CliConsole console)
    {
        var input = new Argument<string>("FOLDER") { Description = "Hugging Face folder: config.json, safetensors, tokenizer." };
        var output = new Argument<string>("OUT") { Description = "GGUF file to write; it appears when it is complete." };
        foreach (Argument<string> argument in (Argument<string>[])[input, output]) argument.Validators.Add(CommandLineApp.RefuseOptions);
        Option<string?> type = CliOption.Single<string?>("--type", "TYPE", "As with quantize, for example F16 or Q4_K_M. Default: as most weights are stored.", "a type", (string text, out string? value) => (value = text).Length > 0);
        var options = new QuantizationCliOptions();
        var command = new Command("convert", "Writes a Hugging Face folder as a GGUF file, which llama.cpp reads too.") { input, output, type };
        options.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            string from = parsed.GetRequiredValue(input), to = parsed.GetRequiredValue(output);
            QuantizationOptions conversion = options.Read(parsed, parsed.GetValue(type) ?? "F16");
            QuantizeRun.CheckPaths(from, to, conversion.Replace);
            if (!WeightFiles.IsFolderPath(from)) throw new UsageException($"{from} is no folder of Hugging Face's (quantize takes GGUF files)");
            using HuggingFaceFolder folder = HuggingFaceFolder.Open(from);
            if (parsed.GetValue(type) is null) conversion = conversion with { Mix = FolderConverter.MixOf(folder) };
            await QuantizeRun.WriteAsync(console, "Converting", folder.Length, to, conversion, report => FolderConverter.Convert(folder, to, conversion, report, console.Cancellation)).ConfigureAwait(false);
            return ExitCode.Done;
        });
        return command;
    }
}
