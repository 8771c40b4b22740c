using System.Security.Cryptography;

namespace Inference.Cli;

/// <summary>A download on its way: the bytes so far in an <c>.incomplete</c> file, and their hash. Stays for the next time unless it is completed.</summary>
internal sealed class PartialFile : IDisposable
{
    private readonly string path;
    private readonly HubFile file;
    private readonly FileStream content;
    private IncrementalHash hash;

    private PartialFile(string path, HubFile file)
    {
        this.path = path;
        this.file = file;
        hash = file.NewHash();
        // Unbuffered: what counts as received is in the file, should the process end.
        content = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
    }

    /// <summary>Bytes received and hashed.</summary>
    public long Length { get; private set; }

    /// <summary>Whether the bytes are from several answers or runs, which may not belong together.</summary>
    public bool IsPieced { get; private set; }

    public bool IsComplete => Length == file.Size;

    /// <summary>Goes on with what an earlier run has left, read once for its hash.</summary>
    public static PartialFile Open(string path, HubFile file, byte[] buffer, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var partial = new PartialFile(path, file);
        try
        {
            if (partial.content.Length > file.Size) partial.Restart();
            else partial.ReadBack(buffer, cancellation);
            return partial;
        }
        catch
        {
            partial.Dispose();
            throw;
        }
    }

    private void ReadBack(byte[] buffer, CancellationToken cancellation)
    {
        int read;
        while ((read = content.Read(buffer, 0, (int)Math.Min(buffer.Length, file.Size - Length))) > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, read);
            Length += read;
        }
        IsPieced = Length > 0;
    }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        try
        {
            content.Write(bytes);
        }
        catch (ArgumentOutOfRangeException e)
        {
            // So .NET says EFBIG: the 4 GiB of FAT32, or a limit of the process.
            throw new IOException($"{path}: the file system takes no file of {ByteSize.Format(file.Size)}", e);
        }
        hash.AppendData(bytes);
        Length += bytes.Length;
    }

    /// <summary>Further bytes will come from another answer.</summary>
    public void Break()
    {
        if (Length > 0) IsPieced = true;
    }

    /// <summary>Forgets what is there.</summary>
    public void Restart()
    {
        content.SetLength(0);
        content.Position = 0;
        hash.Dispose();
        hash = file.NewHash();
        Length = 0;
        IsPieced = false;
    }

    /// <summary>The hash of all bytes, lower-case hex.</summary>
    public string Hash() => Convert.ToHexStringLower(hash.GetCurrentHash());

    /// <summary>Gives the file its final name. Its bytes reach the disk first: after a power cut a name must not stand for half a file.</summary>
    public void Complete(string finalPath)
    {
        content.Flush(flushToDisk: true);
        content.Dispose();
        File.Move(path, finalPath, overwrite: true);
    }

    public void Dispose()
    {
        hash.Dispose();
        if (!content.CanRead) return; // completed
        bool empty = content.Length == 0;
        content.Dispose();
        if (empty) File.Delete(path);
    }
}
