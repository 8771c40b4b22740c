using System.Diagnostics;
using System.Globalization;

namespace Inference.Compare;

/// <summary>A process as it stood when it first wrote to standard output. Linux only: the kernel's own peak is read from /proc.</summary>
/// <param name="FirstOutput">Time from just before its start.</param>
/// <param name="PeakBytes">Its largest resident size until then. What wait4 says at its end would not do: it includes ours, which the child had before its exec.</param>
internal sealed record ChildProcess(TimeSpan FirstOutput, long PeakBytes)
{
    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="InvalidOperationException">It failed, or wrote nothing.</exception>
    public static ChildProcess Run(string file, params string[] arguments)
    {
        long start = Stopwatch.GetTimestamp();
        using Process process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        bool wrote = process.StandardOutput.BaseStream.ReadByte() >= 0;
        TimeSpan first = Stopwatch.GetElapsedTime(start);
        string? peak = wrote ? File.ReadLines($"/proc/{process.Id}/status").FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)) : null;
        process.StandardOutput.BaseStream.CopyTo(Stream.Null);
        process.WaitForExit();
        if (process.ExitCode != 0 || peak is null) throw new InvalidOperationException($"{Path.GetFileName(file)} {arguments[0]} failed with exit code {process.ExitCode}: {error.Result.Trim()}");
        return new ChildProcess(first, 1024 * long.Parse(peak["VmHWM:".Length..^"kB".Length], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture));
    }
}
