using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// Native memory, zeroed unless asked otherwise. Large buffers are aligned to 2 MiB and offered for huge pages, which gains 5-15 % in streaming reads; small ones to 64 bytes.
/// The garbage collector is not told of it: owners dispose, and its answer to such pressure are collections in the middle of loading.
/// A tail of <see cref="Slack"/> bytes may be read (never written) beyond the end, so that kernels can prefetch and load whole vectors.
/// </summary>
internal sealed unsafe partial class NativeBuffer : IDisposable
{
    public const int Slack = 256;
    private const int HugePage = 2 << 20;
    private const int MadviseHugePage = 14;
    private readonly NativeBuffer? whole;
    private void* memory, pointer;
    private int users = 1; // itself, until it is disposed, and its parts
    private bool disposed;

    /// <param name="bytes">Usable bytes.</param>
    /// <param name="clear">
    /// Whether it must be zero. What the system gives afresh is zero without being touched, so large buffers cost no time or memory before they are used either way.
    /// </param>
    /// <param name="hugePageFrom">Bytes from which huge pages are asked for. What is touched here and there only pays for every huge page that it touches.</param>
    /// <exception cref="OutOfMemoryException">The system has not that much memory.</exception>
    public NativeBuffer(long bytes, bool clear = true, long hugePageFrom = HugePage)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        Allocating?.Invoke(bytes);
        Bytes = bytes;
        bool large = bytes >= hugePageFrom;
        nuint size = checked((nuint)bytes + Slack);
        if (large) size = (size + HugePage - 1) / HugePage * HugePage;
        nuint alignment = large ? (nuint)HugePage : 64, padded = checked(size + alignment);
        memory = clear ? NativeMemory.AllocZeroed(padded) : NativeMemory.Alloc(padded);
        pointer = (void*)(((nuint)memory + alignment - 1) / alignment * alignment);
        if (large && OperatingSystem.IsLinux()) _ = Madvise(pointer, size, MadviseHugePage); // a hint: failure costs speed only
    }

    private NativeBuffer(NativeBuffer whole, long offset, long bytes)
    {
        Interlocked.Increment(ref whole.users);
        this.whole = whole;
        pointer = whole.Pointer + offset;
        Bytes = bytes;
    }

    /// <summary>A part that is disposed by itself: the memory is freed with the last one that uses it.</summary>
    /// <param name="offset">First byte, a multiple of 64.</param>
    /// <param name="bytes">Usable bytes; those up to the end of the whole, and its slack, may be read as this part's slack.</param>
    public NativeBuffer Part(long offset, long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        ArgumentOutOfRangeException.ThrowIfNotEqual(offset % 64, 0);
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, Bytes - offset);
        return new NativeBuffer(this, offset, bytes);
    }

    /// <summary>Hears, in tests, of every buffer that the thread is about to allocate, and may throw.</summary>
    [field: ThreadStatic]
    internal static Action<long>? Allocating { get; set; }

    /// <summary>Usable bytes; 0 once it is disposed, so that scratch memory which could not grow is found too small the next time.</summary>
    public long Bytes { get; private set; }

    /// <summary>First byte.</summary>
    public byte* Pointer => (byte*)pointer;

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Madvise(void* address, nuint length, int advice);

    ~NativeBuffer() => Release();

    public void Dispose()
    {
        Release();
        GC.SuppressFinalize(this);
    }

    private void Release()
    {
        if (disposed) return;
        disposed = true;
        Bytes = 0;
        pointer = null;
        (whole ?? this).Leave();
    }

    private void Leave()
    {
        if (Interlocked.Decrement(ref users) > 0) return;
        NativeMemory.Free(memory);
        memory = null;
    }
}
