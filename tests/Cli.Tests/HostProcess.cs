using System.Runtime.InteropServices;

namespace Inference.Cli.Tests;

/// <summary>How a test starts the program, or another one, as a process of its own.</summary>
internal static class HostProcess
{
    /// <summary>The host of this test runs the program too; the one in PATH may be another version.</summary>
    public static readonly string Host = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));

    /// <summary>What the host is told to run.</summary>
    public static readonly string[] Program = ["exec", Path.Combine(AppContext.BaseDirectory, "Inference.Cli.dll")];

    /// <summary>File and arguments that run the program. A shell's background jobs ignore SIGINT and hand that down; the program is to heed signals however the tests were started.</summary>
    public static (string File, string[] Arguments) Command(params string[] args) =>
        OperatingSystem.IsLinux() ? ("env", ["--default-signal=INT,TERM", Host, .. Program, .. args]) : (Host, [.. Program, .. args]);
}
