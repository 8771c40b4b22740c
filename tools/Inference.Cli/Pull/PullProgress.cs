namespace Inference.Cli;

/// <summary>How far a pull has come; written by the download, read by the bar.</summary>
/// <param name="log">Also hears what is reported, for people without a bar.</param>
internal sealed class PullProgress(Action<string>? log = null)
{
    private readonly Lock gate = new();
    private string title = "", note = "";
    private long total, finished, position, size;

    /// <summary>What is happening, bytes there, bytes in all.</summary>
    public (string Title, long Done, long Total) Now
    {
        get
        {
            lock (gate) return (note.Length > 0 ? note : title, finished + position, Math.Max(1, total));
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
        lock (gate) (note, position) = ("", bytes);
    }

    public void End()
    {
        lock (gate) (finished, position, size) = (finished + size, 0, 0);
    }

    /// <summary>Shown in place of the file's name until the next byte; empty: the name again.</summary>
    public void Report(string line)
    {
        lock (gate) note = line;
        if (line.Length > 0) log?.Invoke(line);
    }
}
