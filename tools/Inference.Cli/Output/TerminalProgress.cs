using Spectre.Console;

namespace Inference.Cli;

/// <summary>A progress bar on standard error. Spectre.Console is loaded only by classes like this one, so that nobody else pays for it.</summary>
internal static class TerminalProgress
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>Shows the bar until the work is done; the caller awaits the work for its result or error.</summary>
    /// <param name="title">In front of the bar.</param>
    /// <param name="fraction">How much is done, 0 to 1.</param>
    /// <param name="work">What is waited for.</param>
    public static Task ShowAsync(string title, Func<double> fraction, Task work)
    {
        IAnsiConsole error = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return error.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                ProgressTask bar = context.AddTask(Markup.Escape(title), maxValue: 1);
                while (!work.IsCompleted)
                {
                    bar.Value = fraction();
                    await Task.WhenAny(work, Task.Delay(Interval)).ConfigureAwait(false);
                }
            });
    }

    /// <summary>Runs work on this thread, which reports how many of its parts are done; a bar shows it where a person waits.</summary>
    public static T Run<T>(CliConsole console, string title, int parts, Func<Action<int>, T> work)
    {
        if (!console.ErrorIsTerminal || parts == 0) return work(_ => { });
        int done = 0;
        var finished = new TaskCompletionSource();
        Task bar = Task.Run(() => ShowAsync(title, () => (double)Volatile.Read(ref done) / parts, finished.Task));
        try
        {
            return work(count => Volatile.Write(ref done, count));
        }
        finally
        {
            finished.SetResult();
            bar.GetAwaiter().GetResult();
        }
    }
}
