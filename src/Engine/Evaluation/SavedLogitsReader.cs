namespace Inference.Evaluation;

/// <summary>Reads saved logits row by row.</summary>
internal sealed class SavedLogitsReader : IDisposable
{
    private readonly FileStream stream;
    private readonly string path;
    private int row;

    /// <exception cref="IOException">No such file, or it cannot be read.</exception>
    /// <exception cref="InvalidDataException">Not a file of saved logits, or damaged.</exception>
    public SavedLogitsReader(string path)
    {
        this.path = path;
        if (Directory.Exists(path)) throw new IOException($"{path}: is a folder; a file of saved logits is expected");
        if (!File.Exists(path)) throw new FileNotFoundException($"{path}: no such file", path);
        stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        try
        {
            Head = SavedLogits.Read(stream, path);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    public SavedLogits Head { get; }

    public string Path => path;

    /// <summary>Reads the next rows; the caller asks for no more than there are.</summary>
    /// <param name="records">[rows][<see cref="SavedRow.Bytes"/>]</param>
    /// <exception cref="InvalidDataException">A row is damaged.</exception>
    public void Read(Span<byte> records)
    {
        stream.ReadExactly(records);
        int bytes = SavedRow.Bytes(Head.Vocabulary);
        for (int at = 0; at < records.Length; at += bytes, row++)
            if (!SavedRow.IsIntact(records.Slice(at, bytes))) throw SavedLogits.Damaged(path, $"row {row}");
    }

    public void Dispose() => stream.Dispose();
}
