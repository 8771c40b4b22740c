using System.CommandLine;
using Inference.Kernels;
using Inference.Kernels.Cases;

namespace Inference.Cli;

/// <summary><c>check</c>: does this device compute what the scalar reference computes?</summary>
internal static class CheckCommand
{
    public static Command Create(CliConsole console)
    {
        Argument<string?> model = CommonOptions.OptionalModel();
        var device = new DeviceCliOptions();
        var filter = new Option<string?>("--filter") { Description = "Only cases whose name contains this, without the generation.", HelpName = "TEXT" };
        var command = new Command("check", "Runs every operation on a device and compares it with the scalar reference, then a short generation. Exit code 1 on a mismatch, or when nothing ran.") { model, filter };
        device.AddTo(command);
        command.SetAction((parsed, _) =>
        {
            string? path = parsed.GetValue(filter) is null ? CommonOptions.Source(parsed.GetValue(model)).Resolve() : null;
            // A model that does not load is told before minutes of operations.
            if (path is not null) ModelNumbers.Of(path);
            return Task.Run(() => Run(console, parsed, device, path, parsed.GetValue(filter) ?? ""));
        });
        return command;
    }

    /// <param name="console">Table and verdict go to its output.</param>
    /// <param name="parsed">Command line.</param>
    /// <param name="options">Which device.</param>
    /// <param name="modelPath">Model of the generation; null: none.</param>
    /// <param name="filter">Part of the names of the cases to run.</param>
    private static int Run(CliConsole console, ParseResult parsed, DeviceCliOptions options, string? modelPath, string filter)
    {
        using Device device = options.Open(parsed);
        foreach (string warning in device.Warnings) console.WriteWarning(warning);
        OperationCase[] cases = [.. AllCases.Small().Where(c => c.ToString().Contains(filter, StringComparison.OrdinalIgnoreCase))];

        List<OperationCheckResult> results = TerminalProgress.Run(console, "Operations", cases.Length, report => OperationCheck.Run(cases, device.Kernels, report, console.Cancellation));
        Print(console.Out, results);
        int failed = results.Count(r => !r.Passed);
        console.Out.WriteLine($"{results.Count} cases on {device.Name}: {(results.Count == 0 ? "nothing was checked" : failed == 0 ? "all agree with the reference" : $"{failed} do not agree with the reference")}");
        console.Out.Flush();
        bool passed = results.Count > 0 && failed == 0;
        if (modelPath is null) return passed ? ExitCode.Done : ExitCode.Failed;

        GenerationCheckResult generation = TerminalProgress.Run(console, "Generation", GenerationCheck.Steps, report => GenerationCheck.Run(modelPath, device.Kernels, report, console.Cancellation));
        console.Out.WriteLine($"generation of {generation.Steps} tokens by {generation.Model}: {(generation.FirstDifference is { } step ? $"token {step} differs" : "tokens agree")}, "
            + $"worst logit error {generation.Error:0.0E-0}, allowed {generation.Allowed:0.0E-0}{(generation.Passed ? "" : ": FAILED")}");
        return passed && generation.Passed ? ExitCode.Done : ExitCode.Failed;
    }

    private static void Print(TextWriter output, List<OperationCheckResult> results)
    {
        if (results.Count == 0) return;
        var table = new TextTable("operation", "case", "error>", "allowed>", "GB/s>", "result");
        foreach (OperationCheckResult r in results)
            table.Add(r.Case.Operation, r.Case.Name, $"{r.Error:0.0E-0}", $"{r.Case.Tolerance:0.0E-0}", double.IsNaN(r.Seconds) ? "-" : $"{r.Case.Bytes / r.Seconds / 1e9:F2}", r.Passed ? "ok" : "FAILED" + (r.Failure is null ? "" : ": " + r.Failure));
        table.Write(output);
    }
}
