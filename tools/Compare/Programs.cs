using System.Diagnostics;

namespace Inference.Compare;

/// <summary>The programs that are compared.</summary>
internal static class Programs
{
    /// <summary>Ours, as <c>dotnet build -c Release</c> leaves it.</summary>
    public static string Inference { get; } = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", "..", "..", "Inference.Cli", "bin", "Release", "net10.0", "inference"));

    /// <summary>Runs a program to its end and returns what it printed.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message has what it said.</exception>
    public static string Run(string file, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new InvalidOperationException($"{Path.GetFileName(file)} {arguments[0]} failed: {error.Result.Trim()}");
    }
}
