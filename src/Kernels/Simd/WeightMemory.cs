namespace Inference.Kernels;

/// <summary>
/// Memory for weights. Those too small for a huge page of their own lie one after the other in segments that have some: a small model is read
/// once a token too, and on pages of 4 KiB neither the hardware's prefetch nor the TLB keeps up (figures in the README).
/// One thread at a time.
/// </summary>
internal sealed class WeightMemory : IDisposable
{
    private const long SegmentBytes = 16 << 20, Alignment = 64;
    private NativeBuffer? segment;
    private long used;

    /// <summary>Memory of its own lifetime, not cleared. What is never touched of a segment costs address space only.</summary>
    /// <exception cref="OutOfMemoryException">The system has not that much memory.</exception>
    public NativeBuffer Allocate(long bytes)
    {
        if (bytes >= NativeBuffer.HugePage) return new NativeBuffer(bytes, clear: false);
        if (segment is null || used + bytes > segment.Bytes)
        {
            segment?.Dispose();
            segment = null;
            segment = new NativeBuffer(SegmentBytes, clear: false);
            used = 0;
        }
        NativeBuffer part = segment.Part(used, bytes);
        used += (bytes + Alignment - 1) / Alignment * Alignment;
        return part;
    }

    /// <summary>Gives up the last segment; parts of it that live go on.</summary>
    public void Dispose() => segment?.Dispose();
}
