using System.Globalization;
using System.Runtime.InteropServices;
using Inference.Cli;

// Numbers are written and read with a point, and messages are English, wherever the program runs.
CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
CultureInfo.DefaultThreadCurrentUICulture = CultureInfo.CurrentUICulture = CultureInfo.InvariantCulture;

using var cancellation = new CancellationTokenSource();
using CliConsole console = CliConsole.OfProcess(cancellation.Token);
int signalCode = 0;
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(context, ExitCode.Cancelled));
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(context, ExitCode.Terminated));

int code = await CommandLineApp.RunAsync(args, console);
return code == ExitCode.Cancelled && signalCode != 0 ? signalCode : code;

// The first signal ends the work cleanly, the second one ends the process. A conversation has uses of its own for Ctrl-C.
void Stop(PosixSignalContext context, int exitCode)
{
    if (exitCode == ExitCode.Cancelled && console.Interrupt?.Invoke() == true)
    {
        context.Cancel = true;
        return;
    }
    if (Interlocked.CompareExchange(ref signalCode, exitCode, 0) != 0) return;
    context.Cancel = true;
    _ = cancellation.CancelAsync();
}
