using System.CommandLine;
using Inference.Models;

namespace Inference.Cli;

/// <summary><c>inspect</c>: what a model file or folder holds, also one that this build does not run.</summary>
internal static class InspectCommand
{
    public static Command Create(CliConsole console)
    {
        var model = new Argument<string>("MODEL") { Description = "GGUF file (of a split model any part), or a Hugging Face folder." };
        model.Validators.Add(CommandLineApp.RefuseOptions);
        Option<bool> tensors = CliOption.Flag("--tensors", "List every tensor."), json = CliOption.Flag("--json", "Print one JSON object.");
        var command = new Command("inspect", "Shows a model file: metadata, architecture, parameter count, tensor types by bytes.") { model, tensors, json };
        command.SetAction(parsed =>
        {
            string path = parsed.GetRequiredValue(model);
            _ = CommonOptions.Source(path).Resolve();
            var inspection = Inspection.Of(path);
            if (parsed.GetValue(json)) InspectJson.Write(console.Out, inspection, parsed.GetValue(tensors));
            else Print(console.Out, inspection, parsed.GetValue(tensors));
            return ExitCode.Done;
        });
        return command;
    }

    private static void Print(TextWriter output, Inspection model, bool tensors)
    {
        output.WriteLine($"file          {model.Path} ({model.Format}, {ByteSize.Format(model.FileBytes)})");
        output.WriteLine($"name          {model.Name ?? "-"}");
        output.WriteLine($"architecture  {model.Architecture ?? "-"}");
        output.WriteLine($"parameters    {model.ParameterCount:N0}");
        output.WriteLine($"runs here     {(model.Refusal is null ? "yes" : "no: " + ErrorLine.OneLine(model.Refusal))}");
        output.WriteLine();
        long total = Math.Max(1, model.Types.Sum(t => t.Bytes));
        var types = new TextTable("type", "tensors>", "bytes>", "share>");
        foreach (Inspection.TypeUse type in model.Types) types.Add(type.Type, $"{type.Tensors}", $"{type.Bytes:N0}", $"{100.0 * type.Bytes / total:F1} %");
        types.Write(output);
        output.WriteLine();
        var metadata = new TextTable("key", "value");
        foreach ((string key, string value) in model.Metadata) metadata.Add(key, Shorten(value));
        metadata.Write(output);
        if (!tensors) return;
        output.WriteLine();
        var list = new TextTable("tensor", "type", "shape", "bytes>");
        foreach (Inspection.TensorEntry tensor in model.Tensors) list.Add(tensor.Name, tensor.Type, tensor.Shape, $"{tensor.Bytes:N0}");
        list.Write(output);
    }

    /// <summary>A chat template can be pages long; --json has all of it.</summary>
    private static string Shorten(string value)
    {
        string line = ErrorLine.OneLine(value);
        return line.Length <= 100 ? line : line[..97] + "...";
    }
}
