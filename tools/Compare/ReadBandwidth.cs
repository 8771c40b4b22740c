using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Inference.Compare;

/// <summary>Read bandwidth of the memory: what a step that reads all weights could reach. On huge pages, as packed weights lie: small ones read a tenth slower.</summary>
internal static unsafe partial class ReadBandwidth
{
    private const int Count = 64 << 20, Passes = 3, HugePage = 2 << 20, AdviseHugePages = 14;

    private static readonly long* Buffer = Allocate();

    /// <summary>GB/s of summing 512 MiB with so many threads, best of three passes.</summary>
    public static double Measure(int threads)
    {
        double best = 0;
        for (int pass = 0; pass < Passes; pass++)
        {
            long start = Stopwatch.GetTimestamp();
            Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, t => Sum(Buffer + (long)t * (Count / threads), Count / threads));
            best = Math.Max(best, Count * 8.0 / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9);
        }
        return best;
    }

    private static long* Allocate()
    {
        const nuint bytes = (nuint)Count * sizeof(long);
        long* buffer = (long*)NativeMemory.AlignedAlloc(bytes, HugePage);
        if (OperatingSystem.IsLinux()) _ = Advise(buffer, bytes, AdviseHugePages);
        // Written, so that its pages are not all the one zero page.
        new Span<long>(buffer, Count).Fill(1);
        return buffer;
    }

    private static long Sum(long* values, int count)
    {
        Vector<long> a = default, b = default, c = default, d = default;
        ReadOnlySpan<Vector<long>> vectors = MemoryMarshal.Cast<long, Vector<long>>(new ReadOnlySpan<long>(values, count));
        for (int i = 0; i + 3 < vectors.Length; i += 4)
        {
            a += vectors[i];
            b += vectors[i + 1];
            c += vectors[i + 2];
            d += vectors[i + 3];
        }
        return Vector.Sum(a + b + c + d);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint bytes, int advice);
}
