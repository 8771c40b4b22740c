namespace Inference.Kernels;

/// <summary>
/// Memory for weights. Matrices lie one after the other in segments of huge pages. Apart, those below 2 MiB would have pages of 4 KiB, where neither the
/// hardware's prefetch nor the TLB keeps up, and each of the others would leave half a huge page empty (figures in the README). One thread at a time.
/// </summary>
internal sealed class WeightMemory : IDisposable
{
    private const long SegmentBytes = 64 << 20, LargestPart = SegmentBytes / 4, Alignment = 64;
    private NativeBuffer? segment;
    private long used, before;

    /// <summary>Memory of its own lifetime, not cleared. What is never touched of a segment costs address space only.</summary>
    /// <exception cref="OutOfMemoryException">The system has not that much memory.</exception>
    public NativeBuffer Allocate(long bytes)
    {
        before = used;
        if (bytes > LargestPart) return new NativeBuffer(bytes, clear: false);
        if (segment is null || used + bytes > segment.Bytes)
        {
            segment?.Dispose();
            segment = null;
            segment = new NativeBuffer(SegmentBytes, clear: false);
            used = before = 0;
        }
        NativeBuffer part = segment.Part(used, bytes);
        used += (bytes + Alignment - 1) / Alignment * Alignment;
        return part;
    }

    /// <summary>The place of what was allocated last, and is disposed, goes to what comes next.</summary>
    public void TakeBack() => used = before;

    /// <summary>Gives up the last segment; parts of it that live go on.</summary>
    public void Dispose() => segment?.Dispose();
}
