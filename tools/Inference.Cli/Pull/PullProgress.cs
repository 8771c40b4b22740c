namespace Inference.Cli;

/// <summary>How far a pull has come; written by the download, read by the bar.</summary>
/// <param name="log">Also hears what is reported, for people without a bar.</param>
internal sealed class PullProgress(Action<string>? log = null)
{
    /// <summary>What is shown.</summary>
    /// <param name="Title">The file, or what keeps it from coming.</param>
    /// <param name="Done">Bytes there.</param>
    /// <param name="Total">Bytes in all, 1 or more.</param>
    /// <param name="Received">Bytes that came over the network: unlike <paramref name="Done"/> without those of earlier runs, and never less than before.</param>
    public readonly record struct State(string Title, long Done, long Total, long Received);

    private const int TitleWidth = 48;

    private readonly Lock gate = new();
    private string title = "", note = "";
    private long total, finished, position, size, received;

    public State Now
    {
        get
        {
            lock (gate) return new State(note.Length > 0 ? Beginning(note) : End(title), finished + position, Math.Max(1, total), received);
        }
    }

    public void Expect(IEnumerable<HubFile> files)
    {
        lock (gate) total += files.Sum(f => f.Size);
    }

    public void Begin(string path, long from, long bytes)
    {
        lock (gate) (title, note, position, size) = (path, "", from, bytes);
    }

    public void MoveTo(long bytes)
    {
        lock (gate)
        {
            received += Math.Max(0, bytes - position);
            (note, position) = ("", bytes);
        }
    }

    public void Finish()
    {
        lock (gate) (finished, position, size) = (finished + size, 0, 0);
    }

    /// <summary>Shown in place of the file's name until the next byte; empty: the name again.</summary>
    public void Report(string line)
    {
        lock (gate) note = line;
        if (line.Length > 0) log?.Invoke(line);
    }

    private static string Beginning(string text) => text.Length <= TitleWidth ? text : text[..(TitleWidth - 1)] + "…";

    /// <summary>Of a path, the end says more.</summary>
    private static string End(string text) => text.Length <= TitleWidth ? text : "…" + text[^(TitleWidth - 1)..];
}
