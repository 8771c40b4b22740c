using Spectre.Console;

namespace Inference.Cli;

/// <summary>A pull's progress on standard error: bytes, rate and remaining time.</summary>
internal static class PullBar
{
    private const int TitleWidth = 48;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>Shows the bar until the work is done; the caller awaits the work for its result or error.</summary>
    public static Task ShowAsync(PullProgress progress, Task work)
    {
        IAnsiConsole error = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        return error.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(async context =>
            {
                ProgressTask bar = context.AddTask("");
                while (!work.IsCompleted)
                {
                    (string title, long done, long total) = progress.Now;
                    bar.Description = Markup.Escape(Shorten(title));
                    bar.MaxValue = total;
                    bar.Value = done;
                    await Task.WhenAny(work, Task.Delay(Interval)).ConfigureAwait(false);
                }
            });
    }

    /// <summary>A file's end says more than its beginning.</summary>
    private static string Shorten(string title) => title.Length <= TitleWidth ? title : "…" + title[^(TitleWidth - 1)..];
}
