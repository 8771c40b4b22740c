using Microsoft.Win32.SafeHandles;

namespace Inference.Models;

/// <summary>
/// A file of known size that appears under its name when it is complete and not before. Until then its bytes lie beside it under a temporary name, which goes
/// away when the work ends in any other way. Writing is safe from several threads at once.
/// </summary>
internal sealed class OutputFile : IDisposable
{
    private readonly string temporary;
    private readonly bool replace;
    private readonly long length;
    private readonly SafeFileHandle handle;
    private bool committed;

    /// <param name="path">The name it will have.</param>
    /// <param name="length">Bytes; the disk is asked for them at once, so that a full one is known before the work.</param>
    /// <param name="replace">Whether it may take the place of another file.</param>
    /// <exception cref="IOException">The folder is absent, the name is taken, or the disk has no room. The message names the file.</exception>
    public OutputFile(string path, long length, bool replace)
    {
        Path = System.IO.Path.GetFullPath(path);
        (this.length, this.replace) = (length, replace);
        string folder = System.IO.Path.GetDirectoryName(Path) ?? throw new IOException($"{path}: a folder, not the name of a file");
        if (!Directory.Exists(folder)) throw new DirectoryNotFoundException($"{path}: there is no folder {folder}");
        if (Directory.Exists(Path)) throw new IOException($"{path}: a folder, not the name of a file");
        RequireFree();
        RequireRoom(folder);
        temporary = System.IO.Path.Combine(folder, $".{System.IO.Path.GetFileName(Path)}.{Guid.NewGuid():n}.tmp");
        handle = Guarded(() => File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, FileOptions.None, length));
    }

    /// <summary>The name it will have, in full.</summary>
    public string Path { get; }

    /// <exception cref="IOException">The disk is full or broken.</exception>
    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        try
        {
            RandomAccess.Write(handle, bytes, offset);
        }
        catch (Exception error) when (error is IOException or ArgumentOutOfRangeException)
        {
            throw Explained(error);
        }
    }

    /// <summary>Gives the file its name. Its bytes reach the disk first: after a power cut a name must not stand for half a file.</summary>
    public void Commit()
    {
        Guarded(() =>
        {
            RandomAccess.FlushToDisk(handle);
            return 0;
        });
        handle.Dispose();
        RequireFree();
        File.Move(temporary, Path, replace);
        committed = true;
    }

    public void Dispose()
    {
        handle.Dispose();
        if (!committed) File.Delete(temporary);
    }

    private void RequireFree()
    {
        if (!replace && File.Exists(Path)) throw new IOException($"{Path} exists already");
    }

    private void RequireRoom(string folder)
    {
        long free;
        try
        {
            free = new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return; // The system does not tell; writing will.
        }
        if (free < length) throw new IOException($"{Path}: the disk is full: {length:N0} bytes are to be written and {free:N0} are free");
    }

    private T Guarded<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception error) when (error is IOException or ArgumentOutOfRangeException)
        {
            throw Explained(error);
        }
    }

    /// <summary>The system's words, with the name that the user knows. (ArgumentOutOfRangeException is how .NET reports the largest file that a system takes.)</summary>
    private IOException Explained(Exception error) => error is ArgumentOutOfRangeException
        ? new IOException($"{Path}: the file system takes no file of {length:N0} bytes", error)
        : new IOException($"{Path}: {error.Message.Replace($" : '{temporary}'", "", StringComparison.Ordinal).Replace(temporary, Path, StringComparison.Ordinal)}", error);
}
