namespace Inference.Cli;

/// <summary>Bytes per second over the last seconds: long enough to be read, short enough to follow the network.</summary>
internal sealed class TransferRate(TimeProvider clock)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(8);

    private readonly Queue<(long Time, long Bytes)> samples = [];
    private (long Time, long Bytes) last;

    /// <param name="bytes">Received since the beginning.</param>
    public void Add(long bytes)
    {
        last = (clock.GetTimestamp(), bytes);
        samples.Enqueue(last);
        while (clock.GetElapsedTime(samples.Peek().Time, last.Time) > Window) samples.Dequeue();
    }

    /// <summary>0 before anything is known.</summary>
    public double BytesPerSecond
    {
        get
        {
            if (samples.Count < 2) return 0;
            (long time, long bytes) = samples.Peek();
            return (last.Bytes - bytes) / Math.Max(0.1, clock.GetElapsedTime(time, last.Time).TotalSeconds);
        }
    }
}
