using System.CommandLine;
using Inference.Kernels;
using Inference.Kernels.Cases;

namespace Inference.Cli;

/// <summary><c>bench ops</c>: the speed of single operations on shapes of real models.</summary>
internal static class BenchOpsCommand
{
    private static readonly TimeSpan TimingBudget = TimeSpan.FromMilliseconds(300);

    private sealed record Timing(OperationCase Case, double Seconds)
    {
        public double BytesPerSecond => Case.Bytes / Seconds;
        public double FlopsPerSecond => Case.Flops / Seconds;
    }

    public static Command Create(CliConsole console)
    {
        var device = new DeviceCliOptions();
        var filter = new Option<string?>("--filter") { Description = "Only cases whose name contains this.", HelpName = "TEXT" };
        Option<string?> format = BenchFormat.Option();
        var command = new Command("ops", "Times operations: GB/s, GFLOP/s, and on cpu the share of the bandwidth and the F32 peak measured in the same run.") { filter, format };
        device.AddTo(command);
        command.SetAction((parsed, _) => Task.Run(() => Run(console, parsed, device, parsed.GetValue(filter) ?? "", parsed.GetValue(format))));
        return command;
    }

    private static int Run(CliConsole console, ParseResult parsed, DeviceCliOptions options, string filter, string? format)
    {
        using Device device = options.Open(parsed);
        foreach (string warning in device.Warnings) console.WriteWarning(warning);
        OperationCase[] cases = [.. AllCases.Large().Where(c => c.ToString().Contains(filter, StringComparison.OrdinalIgnoreCase))];
        if (cases.Length == 0) throw new UsageException($"--filter {filter}: no case has that in its name");
        int threads = options.Read(parsed).Threads is > 0 and var asked ? asked : ProcessorTopology.Cores;
        // A vector loop on this processor says nothing about another device.
        HostPeaks? peaks = device.Name == HostDevice.Name ? HostPeaks.Measure(threads) : null;
        List<Timing> timings = TerminalProgress.Run(console, "Operations", cases.Length, report => Measure(cases, device.Kernels, report, console.Cancellation));
        Write(console.Out, format, device, threads, peaks, timings);
        return ExitCode.Done;
    }

    private static List<Timing> Measure(OperationCase[] cases, KernelSet kernels, Action<int> progress, CancellationToken cancellation)
    {
        var timings = new List<Timing>();
        foreach (OperationCase @case in cases)
        {
            cancellation.ThrowIfCancellationRequested();
            using PreparedCase prepared = @case.Prepare(kernels);
            prepared.Invoke();
            _ = prepared.Read();
            timings.Add(new Timing(@case, CaseTimer.Seconds(prepared, TimingBudget)));
            progress(timings.Count);
        }
        return timings;
    }

    private static void Write(TextWriter output, string? format, Device device, int threads, HostPeaks? peaks, List<Timing> timings)
    {
        var table = new TextTable("operation", "case", "us>", "GB/s>", "of read>", "GFLOP/s>", "of peak>");
        foreach (Timing t in timings)
            table.Add(t.Case.Operation, t.Case.Name, $"{t.Seconds * 1e6:F1}", $"{t.BytesPerSecond / 1e9:F2}", Share(t.BytesPerSecond, peaks?.ReadBytesPerSecond), $"{t.FlopsPerSecond / 1e9:F1}", Share(t.FlopsPerSecond, peaks?.FlopsPerSecond));
        BenchFormat.Write(output, format, table, json =>
        {
            json.WriteString("device", device.Name);
            json.WriteNumber("threads", threads);
            if (peaks is not null)
            {
                json.WriteReal("read_gb_per_second", Math.Round(peaks.ReadBytesPerSecond / 1e9, 3));
                json.WriteReal("peak_gflops", Math.Round(peaks.FlopsPerSecond / 1e9, 3));
            }
            json.WriteArray("results", timings, t =>
            {
                json.WriteStartObject();
                json.WriteString("operation", t.Case.Operation);
                json.WriteString("case", t.Case.Name);
                json.WriteReal("seconds", t.Seconds);
                json.WriteReal("gb_per_second", Math.Round(t.BytesPerSecond / 1e9, 3));
                json.WriteReal("gflops", Math.Round(t.FlopsPerSecond / 1e9, 3));
                json.WriteEndObject();
            });
        });
        if (format == "json") return;
        output.WriteLine(peaks is null
            ? $"{device.Name}: shares are given on cpu only, where bandwidth and peak can be measured beside the operations"
            : $"{device.Name}, {threads} threads: reads {peaks.ReadBytesPerSecond / 1e9:F1} GB/s, F32 peak {peaks.FlopsPerSecond / 1e9:F0} GFLOP/s (measured in this run; int8 products can exceed it, cached weights exceed the bandwidth)");
        output.Flush();
    }

    private static string Share(double value, double? peak) => peak is { } p ? $"{100 * value / p:F0} %" : "-";
}
