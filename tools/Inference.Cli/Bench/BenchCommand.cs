using System.CommandLine;

namespace Inference.Cli;

internal static class BenchCommand
{
    public static Command Create(CliConsole console) => new("bench", "x");
}
