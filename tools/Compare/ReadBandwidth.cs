using System.Diagnostics;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Inference.Compare;

/// <summary>Read bandwidth of the memory: what a step that reads all weights could reach.</summary>
internal static class ReadBandwidth
{
    private const int Count = 64 << 20, Passes = 3;

    private static long[]? buffer;

    /// <summary>GB/s of summing 512 MiB with so many threads, best of three passes.</summary>
    public static double Measure(int threads)
    {
        // Written, so that its pages are not all the one zero page.
        if (buffer is null) Array.Fill(buffer = new long[Count], 1);
        double best = 0;
        for (int pass = 0; pass < Passes; pass++)
        {
            long start = Stopwatch.GetTimestamp();
            Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, t => Sum(buffer.AsSpan(t * (Count / threads), Count / threads)));
            best = Math.Max(best, Count * 8.0 / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9);
        }
        return best;
    }

    private static long Sum(ReadOnlySpan<long> values)
    {
        Vector<long> a = default, b = default, c = default, d = default;
        ReadOnlySpan<Vector<long>> vectors = MemoryMarshal.Cast<long, Vector<long>>(values);
        for (int i = 0; i + 3 < vectors.Length; i += 4)
        {
            a += vectors[i];
            b += vectors[i + 1];
            c += vectors[i + 2];
            d += vectors[i + 3];
        }
        return Vector.Sum(a + b + c + d);
    }
}
