using Spectre.Console;
using Spectre.Console.Rendering;

namespace Inference.Cli;

/// <summary>A pull's progress on standard error: bytes, rate and remaining time.</summary>
internal static class PullBar
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>Spectre's own columns take what an earlier run has left for the work of the first moment, and show gigabytes a second.</summary>
    private sealed class TextColumn(Func<string> text) : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) => new Text(text());
    }

    /// <summary>Shows the bar until the work is done; the caller awaits the work for its result or error.</summary>
    public static Task ShowAsync(PullProgress progress, Task work)
    {
        IAnsiConsole error = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        var rate = new TransferRate(TimeProvider.System);
        string numbers = "";
        return error.Progress().AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new TextColumn(() => Volatile.Read(ref numbers)))
            .StartAsync(async context =>
            {
                ProgressTask bar = context.AddTask("pull");
                while (!work.IsCompleted)
                {
                    PullProgress.State now = progress.Now;
                    bar.Description = Markup.Escape(now.Title);
                    bar.MaxValue = now.Total;
                    bar.Value = now.Done;
                    rate.Add(now.Received);
                    Volatile.Write(ref numbers, Numbers(now, rate.BytesPerSecond));
                    await Task.WhenAny(work, Task.Delay(Interval)).ConfigureAwait(false);
                }
            });
    }

    /// <summary>Bytes, and where something moves how fast and how long still.</summary>
    public static string Numbers(PullProgress.State now, double rate)
    {
        string bytes = $"{ByteSize.Format(now.Done)} of {ByteSize.Format(now.Total)}";
        if (rate < 1) return bytes;
        var left = TimeSpan.FromSeconds(Math.Min(Math.Ceiling((now.Total - now.Done) / rate), 359_999));
        return $"{bytes}, {ByteSize.Format((long)rate)}/s, {(int)left.TotalHours}:{left.Minutes:00}:{left.Seconds:00} left";
    }
}
