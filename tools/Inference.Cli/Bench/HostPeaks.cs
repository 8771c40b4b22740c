using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Inference.Cli;

/// <summary>What this processor can do at most, measured: bytes read a second, and float operations a second.</summary>
/// <param name="ReadBytesPerSecond">A sum over memory far larger than the caches.</param>
/// <param name="FlopsPerSecond">Independent F32 multiply-adds on registers. Int8 dot products can exceed it.</param>
internal sealed unsafe record HostPeaks(double ReadBytesPerSecond, double FlopsPerSecond)
{
    private const long BufferBytes = 512L << 20;
    private const int Passes = 5;

    /// <summary>Measures with so many threads, each on its own part.</summary>
    public static HostPeaks Measure(int threads)
    {
        long part = BufferBytes / threads / 4096 * 4096;
        byte* buffer = (byte*)NativeMemory.AlignedAlloc((nuint)(part * threads), 4096);
        try
        {
            // Written first, by the thread that reads it later: an untouched page is the one shared zero page.
            OnThreads(threads, t => new Span<byte>(buffer + t * part, checked((int)part)).Fill(1));
            double read = Best(() => OnThreads(threads, t => Sum((float*)(buffer + t * part), part / sizeof(float))));
            const int rounds = 4_000_000;
            int width = Vector512.IsHardwareAccelerated ? Vector512<float>.Count : Vector256<float>.Count;
            double compute = Best(() => OnThreads(threads, _ => sink = Vector512.IsHardwareAccelerated ? MultiplyAdd512(rounds) : MultiplyAdd256(rounds)));
            return new HostPeaks(part * threads / read, 2.0 * rounds * 8 * width * threads / compute);
        }
        finally
        {
            NativeMemory.AlignedFree(buffer);
        }
    }

    // What nobody reads would not be computed.
    private static volatile float sink;

    private static double Best(Action action)
    {
        double best = double.PositiveInfinity;
        for (int i = 0; i < Passes; i++)
        {
            long start = Stopwatch.GetTimestamp();
            action();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return best;
    }

    private static void OnThreads(int count, Action<int> action)
    {
        var threads = new Thread[count];
        for (int t = 0; t < count; t++)
        {
            int index = t;
            threads[t] = new Thread(() => action(index));
        }
        foreach (Thread thread in threads) thread.Start();
        foreach (Thread thread in threads) thread.Join();
    }

    private static void Sum(float* values, long count)
    {
        Vector256<float> a = default, b = default, c = default, d = default;
        for (long i = 0; i + 32 <= count; i += 32)
        {
            a += Vector256.Load(values + i);
            b += Vector256.Load(values + i + 8);
            c += Vector256.Load(values + i + 16);
            d += Vector256.Load(values + i + 24);
        }
        sink = Vector256.Sum(a + b + (c + d));
    }

    /// <summary>Eight chains: enough to fill two units of four cycles.</summary>
    private static float MultiplyAdd512(int rounds)
    {
        Vector512<float> x = Vector512.Create(0.999f), y = Vector512.Create(0.001f), a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y;
        for (int i = 0; i < rounds; i++)
        {
            a = Vector512.MultiplyAddEstimate(a, x, y);
            b = Vector512.MultiplyAddEstimate(b, x, y);
            c = Vector512.MultiplyAddEstimate(c, x, y);
            d = Vector512.MultiplyAddEstimate(d, x, y);
            e = Vector512.MultiplyAddEstimate(e, x, y);
            f = Vector512.MultiplyAddEstimate(f, x, y);
            g = Vector512.MultiplyAddEstimate(g, x, y);
            h = Vector512.MultiplyAddEstimate(h, x, y);
        }
        return Vector512.Sum(a + b + c + d + (e + f + g + h));
    }

    /// <inheritdoc cref="MultiplyAdd512"/>
    private static float MultiplyAdd256(int rounds)
    {
        Vector256<float> x = Vector256.Create(0.999f), y = Vector256.Create(0.001f), a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y;
        for (int i = 0; i < rounds; i++)
        {
            a = Vector256.MultiplyAddEstimate(a, x, y);
            b = Vector256.MultiplyAddEstimate(b, x, y);
            c = Vector256.MultiplyAddEstimate(c, x, y);
            d = Vector256.MultiplyAddEstimate(d, x, y);
            e = Vector256.MultiplyAddEstimate(e, x, y);
            f = Vector256.MultiplyAddEstimate(f, x, y);
            g = Vector256.MultiplyAddEstimate(g, x, y);
            h = Vector256.MultiplyAddEstimate(h, x, y);
        }
        return Vector256.Sum(a + b + c + d + (e + f + g + h));
    }
}
