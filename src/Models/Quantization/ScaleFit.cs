using Lane = System.Runtime.Intrinsics.Vector256;
using Lanes = System.Runtime.Intrinsics.Vector256<float>;

namespace Inference.Models;

/// <summary>
/// Weights as scale * level: the scale that minimises sum of importance * (weight - scale * level)^2, each weight taking its nearest level.
/// For given levels the best scale is a quotient of two sums; which levels are nearest is searched from several inverse scales.
/// </summary>
internal static class ScaleFit
{
    /// <summary>Inverse scales tried on each side of the one that puts the largest weight on the outermost level.</summary>
    private const int Steps = 9;

    /// <summary>Rounds of taking the nearest levels and fitting the scale again, after the search.</summary>
    private const int Refits = 2;

    public static Lanes Search<TLevels>(LaneBlock block) where TLevels : ILevels
    {
        Lanes low = Lanes.Zero, high = Lanes.Zero;
        foreach (Lanes x in block.Values)
        {
            low = Lane.Min(low, x);
            high = Lane.Max(high, x);
        }
        Lanes largest = Lane.ConditionalSelect(Lane.GreaterThan(-low, high), low, high);
        Lanes center = Lane.Create(TLevels.Outermost) * LaneBlock.Inverse(largest);
        var best = new Best();
        for (int step = -Steps; step <= Steps; step++)
        {
            Lanes inverse = center * Lane.Create(1 + step * (TLevels.Reach / Steps));
            Try<TLevels>(block, inverse, ref best);
            // Levels reach further on one side of 0: the other sign serves blocks with two large weights of either sign.
            Try<TLevels>(block, -inverse, ref best);
        }
        for (int i = 0; i < Refits; i++) Try<TLevels>(block, LaneBlock.Inverse(best.Scale), ref best);
        return best.Scale;
    }

    private struct Best
    {
        public Lanes Scale, Gain;
    }

    /// <summary>Fits the scale to the levels that an inverse scale makes nearest; the error falls by the gain below that of all zeros.</summary>
    private static void Try<TLevels>(LaneBlock block, Lanes inverse, ref Best best) where TLevels : ILevels
    {
        Lanes product = Lanes.Zero, square = Lanes.Zero;
        Span<Lanes> values = block.Values, importance = block.Importance;
        for (int i = 0; i < values.Length; i++)
        {
            Lanes level = TLevels.Nearest(values[i] * inverse), weighted = importance[i] * level;
            product += weighted * values[i];
            square += weighted * level;
        }
        Lanes scale = Lane.ConditionalSelect(Lane.Equals(square, Lanes.Zero), Lanes.Zero, product / square);
        Lanes gain = scale * product, better = Lane.GreaterThan(gain, best.Gain);
        best.Gain = Lane.ConditionalSelect(better, gain, best.Gain);
        best.Scale = Lane.ConditionalSelect(better, scale, best.Scale);
    }
}
