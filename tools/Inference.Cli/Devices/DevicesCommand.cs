using System.CommandLine;

namespace Inference.Cli;

internal static class DevicesCommand
{
    public static Command Create(CliConsole console) => new("devices", "x");
}
