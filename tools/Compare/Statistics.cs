namespace Inference.Compare;

/// <summary>Statistics of a few rounds.</summary>
internal static class Statistics
{
    /// <summary>The middle value, or the mean of the two middle ones.</summary>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Median of the rounds' ratios: what slows a whole round leaves its ratio alone.</summary>
    public static double MedianRatio(IReadOnlyList<double> values, IReadOnlyList<double> bases) => Median(values.Select((value, i) => value / bases[i]));
}
