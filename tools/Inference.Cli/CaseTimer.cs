using System.Diagnostics;
using Inference.Kernels.Cases;

namespace Inference.Cli;

/// <summary>Times one operation case on one device.</summary>
internal static class CaseTimer
{
    /// <summary>Seconds of one run: the best of several batches, each long enough to time. A batch ends with a read, since devices only wait there.</summary>
    /// <param name="prepared">Has run at least once, so that nothing is compiled here.</param>
    /// <param name="budget">About how long to measure; one run that takes longer is measured once.</param>
    public static double Seconds(PreparedCase prepared, TimeSpan budget)
    {
        const int batches = 5;
        int runs = 1;
        double best = double.PositiveInfinity;
        long start = Stopwatch.GetTimestamp();
        do
        {
            long began = Stopwatch.GetTimestamp();
            for (int i = 0; i < runs; i++) prepared.Invoke();
            _ = prepared.Read();
            double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            best = Math.Min(best, seconds / runs);
            if (seconds < budget.TotalSeconds / batches) runs *= 2;
        }
        while (Stopwatch.GetElapsedTime(start) < budget);
        return best;
    }
}
