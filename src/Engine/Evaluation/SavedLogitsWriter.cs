namespace Inference.Evaluation;

/// <summary>Writes saved logits beside their final name; only a complete file gets it.</summary>
internal sealed class SavedLogitsWriter : IDisposable
{
    private readonly string path, temporary;
    private readonly FileStream stream;
    private bool complete;

    public SavedLogitsWriter(string path, SavedLogits head)
    {
        this.path = path;
        if (Directory.Exists(path)) throw new IOException($"{path}: is a folder");
        temporary = $"{path}.{Environment.ProcessId}.incomplete";
        stream = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None);
        try
        {
            stream.Write(head.ToBytes());
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <param name="records">[rows][<see cref="SavedRow.Bytes"/>]</param>
    public void Write(ReadOnlySpan<byte> records) => stream.Write(records);

    /// <summary>Gives the file its name, once its bytes are on the disk.</summary>
    public void Complete()
    {
        stream.Flush(flushToDisk: true);
        stream.Dispose();
        File.Move(temporary, path, overwrite: true);
        complete = true;
    }

    /// <summary>Removes a file that was not completed.</summary>
    public void Dispose()
    {
        try
        {
            stream.Dispose(); // writes what is buffered, and a full disk refuses it
        }
        finally
        {
            if (!complete) File.Delete(temporary);
        }
    }
}
