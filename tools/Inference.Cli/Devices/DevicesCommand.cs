using System.CommandLine;
using Inference.Kernels;

namespace Inference.Cli;

/// <summary><c>devices</c>: what this machine can compute on.</summary>
internal static class DevicesCommand
{
    public static Command Create(CliConsole console)
    {
        var command = new Command("devices", "Lists the devices of this machine by the names that --device takes; for one that cannot be used, or only in part, the reason.");
        command.SetAction(_ =>
        {
            var table = new TextTable("device", "name", "memory>", "SIMD", "status");
            foreach (DeviceInfo device in DeviceCatalog.List())
                table.Add(device.Name, Or(device.Description), device.MemoryBytes == 0 ? "-" : ByteSize.Format(device.MemoryBytes), device.Simd?.ToString().ToLowerInvariant() ?? "-", Status(device));
            table.Write(console.Out);
            return ExitCode.Done;
        });
        return command;
    }

    private static string Or(string text) => text.Length == 0 ? "-" : text;

    private static string Status(DeviceInfo device) => device.Status switch
    {
        DeviceStatus.Usable => "usable",
        // The reason says "limited" itself.
        DeviceStatus.Limited => ErrorLine.OneLine(device.Reason ?? "limited"),
        _ => "unusable: " + ErrorLine.OneLine(device.Reason ?? "no reason given"),
    };
}
