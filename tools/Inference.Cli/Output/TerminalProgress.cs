using Spectre.Console;

namespace Inference.Cli;

/// <summary>A progress bar on standard error. The only place that loads Spectre.Console, so that nobody else pays for it.</summary>
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
}
