using Lane = System.Runtime.Intrinsics.Vector256;
using Lanes = System.Runtime.Intrinsics.Vector256<float>;

namespace Inference.Models;

/// <summary>
/// Weights as scale * code + min, codes 0 ... top: scale and min that minimise sum of importance * (weight - scale * code - min)^2.
/// For given codes they are the weighted regression line; codes and line are fitted in turn from several first lines.
/// </summary>
internal static class ScaleMinFit
{
    /// <summary>First lines tried, and rounds of codes and line from each.</summary>
    private const int Starts = 12, Rounds = 3;

    /// <summary>The first lines divide the block's range into top + FirstExcess to top + LastExcess parts: best lines cut off a little at both ends.</summary>
    private const float FirstExcess = -0.6f, LastExcess = 1.6f;

    /// <param name="block">Weights and importances.</param>
    /// <param name="top">Largest code.</param>
    /// <param name="belowZero">Whether the format stores mins of 0 and below only.</param>
    public static (Lanes Scale, Lanes Min) Search(LaneBlock block, float top, bool belowZero)
    {
        Lanes low = block.Values[0], high = low;
        foreach (Lanes x in block.Values)
        {
            low = Lane.Min(low, x);
            high = Lane.Max(high, x);
        }
        if (belowZero) low = Lane.Min(low, Lanes.Zero);
        // Sums run over weights above the lowest, so that an offset far from 0 costs no digits.
        var line = new Line(block, low, Lane.Create(top), belowZero ? -low : Lane.Create(float.PositiveInfinity));
        Lanes parts = LaneBlock.Inverse(high - low);
        for (int start = Starts - 1; start >= 0; start--)
        {
            Lanes inverse = parts * Lane.Create(top + FirstExcess + start * ((LastExcess - FirstExcess) / (Starts - 1))), offset = Lanes.Zero;
            for (int round = 0; round < Rounds; round++)
            {
                (Lanes scale, offset) = line.Fit(offset, inverse);
                inverse = LaneBlock.Inverse(scale);
            }
        }
        return (line.Scale, low + line.Offset);
    }

    /// <summary>The best line so far, and what fitting one needs.</summary>
    private ref struct Line
    {
        private readonly LaneBlock block;
        private readonly Lanes low, top, maxOffset, sum, sumX, sumXX;
        private Lanes error = Lane.Create(float.PositiveInfinity);

        public Line(LaneBlock block, Lanes low, Lanes top, Lanes maxOffset)
        {
            this.block = block;
            (this.low, this.top, this.maxOffset) = (low, top, maxOffset);
            for (int i = 0; i < block.Length; i++)
            {
                Lanes x = block.Values[i] - low, weighted = block.Importance[i] * x;
                sum += block.Importance[i];
                sumX += weighted;
                sumXX += weighted * x;
            }
        }

        public Lanes Scale { get; private set; }

        /// <summary>Of the line at code 0, above the lowest weight.</summary>
        public Lanes Offset { get; private set; }

        /// <summary>Fits a line to the codes that another one makes nearest, and keeps it where it is the best so far.</summary>
        public (Lanes Scale, Lanes Offset) Fit(Lanes offset, Lanes inverse)
        {
            Lanes sumQ = Lanes.Zero, sumQQ = Lanes.Zero, sumQX = Lanes.Zero, from = low + offset;
            Span<Lanes> values = block.Values, importance = block.Importance;
            for (int i = 0; i < values.Length; i++)
            {
                Lanes code = Lane.Min(Lane.Max(Lane.Round((values[i] - from) * inverse), Lanes.Zero), top), weighted = importance[i] * code;
                sumQ += weighted;
                sumQQ += weighted * code;
                sumQX += weighted * (values[i] - low);
            }
            Lanes determinant = sum * sumQQ - sumQ * sumQ;
            Lanes scale = (sum * sumQX - sumQ * sumX) / determinant, at0 = (sumQQ * sumX - sumQ * sumQX) / determinant;
            // One code only: a constant.
            Lanes flat = Lane.GreaterThan(determinant, Lanes.Zero);
            scale = Lane.ConditionalSelect(flat, scale, Lanes.Zero);
            at0 = Lane.ConditionalSelect(flat, at0, sumX * LaneBlock.Inverse(sum));
            // A line that would start too high is bent to start at the bound.
            Lanes beyond = Lane.GreaterThan(at0, maxOffset);
            at0 = Lane.Min(at0, maxOffset);
            scale = Lane.ConditionalSelect(beyond, (sumQX - at0 * sumQ) * LaneBlock.Inverse(sumQQ), scale);
            Lanes two = Lane.Create(2f);
            Lanes found = sumXX + scale * (scale * sumQQ - two * sumQX + two * at0 * sumQ) + at0 * (at0 * sum - two * sumX);
            Lanes better = Lane.LessThan(found, error) & Lane.GreaterThanOrEqual(scale, Lanes.Zero);
            error = Lane.ConditionalSelect(better, found, error);
            Scale = Lane.ConditionalSelect(better, scale, Scale);
            Offset = Lane.ConditionalSelect(better, at0, Offset);
            return (scale, at0);
        }
    }
}
