using System.CommandLine;

namespace Inference.Cli;

/// <summary><c>bench</c>: how fast models and operations run.</summary>
internal static class BenchCommand
{
    public static Command Create(CliConsole console) => new("bench", "Measures speed: of models (run) and of single operations (ops).")
    {
        BenchRunCommand.Create(console),
        BenchOpsCommand.Create(console),
    };
}
