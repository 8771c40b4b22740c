using System.CommandLine;

namespace Inference.Cli;

/// <summary><c>devices</c>: what this machine can compute on.</summary>
internal static class DevicesCommand
{
    public static Command Create(CliConsole console)
    {
        var command = new Command("devices", "Lists the devices of this machine, and for one that cannot be used or only in part, why.");
        command.SetAction(_ =>
        {
            var table = new TextTable("device", "name");
            table.Add("cpu", Kernels.SimdLevels.Best.ToString());
            table.Write(console.Out);
            return ExitCode.Done;
        });
        return command;
    }
}
