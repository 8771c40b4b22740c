namespace Inference.Evaluation;

/// <summary>Mean, largest value and standard error of a stream of values (Welford's sums, which lose no digits to a large mean).</summary>
internal sealed class Moments
{
    private double squares;

    public long Count { get; private set; }

    public double Mean { get; private set; }

    public double Max { get; private set; } = double.NegativeInfinity;

    /// <summary>Of the mean, values taken as independent: sqrt(variance / count). 0 for fewer than two values.</summary>
    public double StandardError => Count < 2 ? 0 : Math.Sqrt(squares / (Count - 1) / Count);

    public void Add(double value)
    {
        Count++;
        double delta = value - Mean;
        Mean += delta / Count;
        squares += delta * (value - Mean);
        Max = Math.Max(Max, value);
    }
}
