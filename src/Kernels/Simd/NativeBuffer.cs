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
    private void* memory, pointer;

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
        nuint alignment = large ? (nuint)HugePage : 64, whole = checked(size + alignment);
        memory = clear ? NativeMemory.AllocZeroed(whole) : NativeMemory.Alloc(whole);
        pointer = (void*)(((nuint)memory + alignment - 1) / alignment * alignment);
        if (large && OperatingSystem.IsLinux()) _ = Madvise(pointer, size, MadviseHugePage); // a hint: failure costs speed only
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

    ~NativeBuffer() => Free();

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        if (memory is null) return;
        NativeMemory.Free(memory);
        memory = pointer = null;
        Bytes = 0;
    }
}
