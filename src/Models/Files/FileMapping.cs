using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace Inference.Models;

/// <summary>A whole file mapped read-only. A raw pointer, so that files above 2 GiB need no windows.</summary>
internal sealed unsafe partial class FileMapping : IDisposable
{
    private readonly MemoryMappedFile? map;
    private readonly MemoryMappedViewAccessor? view;

    /// <exception cref="IOException">The file is absent or cannot be read.</exception>
    /// <exception cref="ModelFormatException">It is not a file of known length (a pipe, a terminal).</exception>
    public FileMapping(string path)
    {
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        try
        {
            if (!stream.CanSeek) throw new ModelFormatException(path, "file", "a regular file", "a stream without a length");
            Length = stream.Length;
            // The system refuses to map nothing; a reader sees zero bytes and says what is missing.
            if (Length > 0)
            {
                map = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
                view = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
                byte* pointer = null;
                view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
                Data = pointer + view.PointerOffset;
            }
        }
        catch
        {
            Dispose();
            stream.Dispose();
            throw;
        }
        if (Length == 0) stream.Dispose();
    }

    /// <summary>First byte; null when the file is empty or the mapping is closed.</summary>
    public byte* Data { get; private set; }

    /// <summary>Bytes of the file.</summary>
    public long Length { get; }

    /// <summary>Drops whole pages of a range from this process; the file stays in the system's cache. Only Linux is asked, and may decline.</summary>
    public void Forget(long offset, long bytes)
    {
        if (Data == null || !OperatingSystem.IsLinux()) return;
        long page = Environment.SystemPageSize, first = (offset + page - 1) / page * page, end = (offset + bytes) / page * page;
        if (end <= first) return;
        try
        {
            _ = Advise(Data + first, (nuint)(end - first), DontNeed);
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            // A hint that a libc of another name does not get.
        }
    }

    public void Dispose()
    {
        if (Data != null) view!.SafeMemoryMappedViewHandle.ReleasePointer();
        Data = null;
        view?.Dispose();
        map?.Dispose();
    }

    private const int DontNeed = 4; // MADV_DONTNEED

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(byte* address, nuint length, int advice);
}
