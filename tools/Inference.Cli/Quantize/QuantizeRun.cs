using Inference.Kernels;
using Inference.Models;

namespace Inference.Cli;

/// <summary>Runs <c>quantize</c>: checks the paths, works under a progress bar, and says what came out.</summary>
internal static class QuantizeRun
{
    /// <summary>Work that is done by then shows no bar.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(400);

    public static async Task<int> RunAsync(CliConsole console, string from, string to, QuantizationOptions options)
    {
        CheckPaths(from, to, options.Replace);
        using ModelFile model = ModelFile.Open(from);
        await WriteAsync(console, "Quantizing", model.Length, to, options, report => ModelQuantizer.Quantize(model, to, options, report, console.Cancellation)).ConfigureAwait(false);
        return ExitCode.Done;
    }

    /// <summary>Errors about paths come before minutes of work.</summary>
    /// <exception cref="UsageException">OUT is IN, or exists.</exception>
    public static void CheckPaths(string from, string to, bool replace)
    {
        if (string.IsNullOrWhiteSpace(from)) throw new UsageException("IN is empty");
        if (string.IsNullOrWhiteSpace(to)) throw new UsageException("OUT is empty");
        if (!File.Exists(from) && !Directory.Exists(from)) throw new FileNotFoundException($"{from}: no such file");
        if (string.Equals(RealPath(from), RealPath(to), OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase)) throw new UsageException($"OUT is IN: {to}");
        if (!replace && File.Exists(to)) throw new IOException($"{to} exists already; --force replaces it");
    }

    /// <summary>Does the work on another thread under a bar, and prints a table of what came out.</summary>
    public static async Task WriteAsync(CliConsole console, string title, long sourceBytes, string to, QuantizationOptions options, Func<Action<long, long>, QuantizationResult> work)
    {
        double fraction = 0;
        Task<QuantizationResult> running = Task.Run(() => work((done, total) => Volatile.Write(ref fraction, (double)done / total)));
        if (console.ErrorIsTerminal && await Task.WhenAny(running, Task.Delay(Patience)).ConfigureAwait(false) != running)
            await TerminalProgress.ShowAsync(title, () => Volatile.Read(ref fraction), running).ConfigureAwait(false);
        QuantizationResult result = await running.ConfigureAwait(false);
        if (result.Unguided > 0) console.WriteWarning($"{result.Unguided} matrices are not in the importance matrix; their errors count evenly");
        Print(console.Out, sourceBytes, to, result);
        WarnOfFallbacks(console, options, result);
    }

    private static void Print(TextWriter output, long sourceBytes, string to, QuantizationResult result)
    {
        var table = new TextTable("type", "tensors>", "bytes>");
        foreach (IGrouping<TensorType, GgufTensorEntry> group in result.Tensors.GroupBy(t => t.Type).OrderByDescending(g => g.Sum(t => t.Bytes)))
            table.Add($"{group.Key}", $"{group.Count()}", $"{group.Sum(t => t.Bytes):N0}");
        table.Write(output);
        double elements = result.Tensors.Sum(t => t.Dims.Aggregate(1.0, (product, dim) => product * dim));
        output.WriteLine($"{to}: {ByteSize.Format(result.Length)} of {ByteSize.Format(sourceBytes)}, {8 * result.Length / Math.Max(1, elements):F2} bits per weight");
    }

    private static void WarnOfFallbacks(CliConsole console, QuantizationOptions options, QuantizationResult result)
    {
        int block = GgmlType.Of((uint)options.Mix.Type).BlockElements;
        int count = result.Tensors.Where((tensor, i) => tensor.Type != result.SourceTypes[i] && tensor.Dims[0] % block != 0).Count();
        if (count > 0) console.WriteWarning($"{count} tensors have rows that are no multiple of {block} and got a type with smaller blocks");
    }

    private static string RealPath(string path)
    {
        string full = Path.GetFullPath(path);
        return File.Exists(full) && File.ResolveLinkTarget(full, returnFinalTarget: true) is { } target ? target.FullName : full;
    }
}
