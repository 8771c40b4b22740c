using System.CommandLine;

namespace Inference.Cli;

internal static class CheckCommand
{
    public static Command Create(CliConsole console) => new("check", "x");
}
