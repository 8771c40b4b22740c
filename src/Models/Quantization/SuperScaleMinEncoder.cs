using System.Runtime.Intrinsics;

namespace Inference.Models;

/// <summary>
/// Types whose 256 weights share a float16 scale and min and have a whole-number factor for each per sub-block:
/// weight = scale * factor * code - min * minFactor, all factors 0 or more.
/// </summary>
internal abstract class SuperScaleMinEncoder : BlockEncoder
{
    private const int Weights = 256;

    /// <summary>Rounds of choosing factors for scale and min and fitting these to them.</summary>
    private const int Rounds = 2;

    /// <summary>Sub-blocks, 8 or 16.</summary>
    protected abstract int SubBlocks { get; }

    /// <summary>Largest code.</summary>
    protected abstract int Top { get; }

    /// <summary>Largest factor, of scales and mins.</summary>
    protected abstract int Range { get; }

    /// <summary>Writes one block.</summary>
    protected abstract void Pack(ushort scale, ushort min, ReadOnlySpan<byte> factors, ReadOnlySpan<byte> minFactors, ReadOnlySpan<byte> codes, Span<byte> block);

    public sealed override void Encode(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> blocks)
    {
        Span<Vector256<float>> room = stackalloc Vector256<float>[2 * Weights / LaneBlock.Count], lines = stackalloc Vector256<float>[4];
        Span<byte> codes = stackalloc byte[Weights], factors = stackalloc byte[SubBlocks], minFactors = stackalloc byte[SubBlocks];
        for (; values.Length > 0; values = values[Weights..], blocks = blocks[BlockBytes..])
        {
            var super = new SuperBlock(values[..Weights], importance.IsEmpty ? importance : importance[..Weights], SubBlocks, room);
            Span<Vector256<float>> scales = lines[..super.Groups], mins = lines.Slice(2, super.Groups);
            (float scale, float min) = Fit(super, scales, mins);
            Quantize(super, scale, min, scales, mins, codes);
            for (int j = 0; j < SubBlocks; j++)
            {
                factors[j] = (byte)scales[j / LaneBlock.Count][j % LaneBlock.Count];
                minFactors[j] = (byte)mins[j / LaneBlock.Count][j % LaneBlock.Count];
            }
            Pack(HalfScale.Bits(scale), HalfScale.Bits(min), factors, minFactors, codes, blocks[..BlockBytes]);
            if (!importance.IsEmpty) importance = importance[Weights..];
        }
    }

    /// <summary>Scale and min as float16 has them, and each sub-block's factors.</summary>
    private (float Scale, float Min) Fit(SuperBlock super, Span<Vector256<float>> scales, Span<Vector256<float>> mins)
    {
        Span<Vector256<float>> best = stackalloc Vector256<float>[2 * super.Groups];
        float largest = 0, lowest = 0;
        for (int g = 0; g < super.Groups; g++)
        {
            (scales[g], mins[g]) = ScaleMinFit.Search(super[g], Top, belowZero: true);
            for (int lane = 0; lane < LaneBlock.Count; lane++) (largest, lowest) = (Math.Max(largest, scales[g][lane]), Math.Min(lowest, mins[g][lane]));
        }
        float scale = HalfScale.Round(largest / Range), min = HalfScale.Round(-lowest / Range), bestScale = 0, bestMin = 0, bestError = float.PositiveInfinity;
        for (int g = 0; g < super.Groups; g++)
        {
            scales[g] = Clamp(Vector256.Round(scales[g] * (scale == 0 ? 0 : 1 / scale)));
            mins[g] = Clamp(Vector256.Round(mins[g] * (min == 0 ? 0 : -1 / min)));
        }
        for (int round = 0; ; round++)
        {
            float error = 0;
            for (int g = 0; g < super.Groups; g++) error += Vector256.Sum(Choose(super[g], scale, min, ref scales[g], ref mins[g]));
            if (error < bestError)
            {
                (bestError, bestScale, bestMin) = (error, scale, min);
                scales.CopyTo(best);
                mins.CopyTo(best[super.Groups..]);
            }
            if (round == Rounds) break;
            (scale, min) = FitLine(super, scale, min, scales, mins);
        }
        best[..super.Groups].CopyTo(scales);
        best[super.Groups..].CopyTo(mins);
        return (bestScale, bestMin);
    }

    private Vector256<float> Clamp(Vector256<float> factors) => Vector256.Min(Vector256.Max(factors, Vector256<float>.Zero), Vector256.Create((float)Range));

    private static Vector256<float> Code(Vector256<float> above, Vector256<float> inverse, Vector256<float> top) =>
        Vector256.Min(Vector256.Max(Vector256.Round(above * inverse), Vector256<float>.Zero), top);

    /// <summary>Moves each pair of factors to that of its neighbours that has the smallest error, and returns the errors.</summary>
    private Vector256<float> Choose(LaneBlock block, float scale, float min, ref Vector256<float> factors, ref Vector256<float> minFactors)
    {
        Vector256<float> center = factors, minCenter = minFactors, least = Vector256.Create(float.PositiveInfinity), top = Vector256.Create((float)Top);
        for (int step = 0; step < 9; step++)
        {
            Vector256<float> factor = Clamp(center + Vector256.Create(step % 3 - 1f)), minFactor = Clamp(minCenter + Vector256.Create(step / 3 - 1f));
            Vector256<float> product = factor * scale, offset = minFactor * min, inverse = LaneBlock.Inverse(product), error = Vector256<float>.Zero;
            for (int i = 0; i < block.Length; i++)
            {
                Vector256<float> above = block.Values[i] + offset, miss = above - product * Code(above, inverse, top);
                error += block.Importance[i] * miss * miss;
            }
            Vector256<float> better = Vector256.LessThan(error, least);
            least = Vector256.ConditionalSelect(better, error, least);
            factors = Vector256.ConditionalSelect(better, factor, factors);
            minFactors = Vector256.ConditionalSelect(better, minFactor, minFactors);
        }
        return least;
    }

    /// <summary>The best scale and min for the codes and factors that others lead to: two normal equations over all sub-blocks.</summary>
    private (float Scale, float Min) FitLine(SuperBlock super, float scale, float min, ReadOnlySpan<Vector256<float>> scales, ReadOnlySpan<Vector256<float>> mins)
    {
        Vector256<float> top = Vector256.Create((float)Top), aa = Vector256<float>.Zero, ab = aa, bb = aa, ax = aa, bx = aa;
        for (int g = 0; g < super.Groups; g++)
        {
            LaneBlock block = super[g];
            Vector256<float> inverse = LaneBlock.Inverse(scales[g] * scale), offset = mins[g] * min, b = -mins[g];
            for (int i = 0; i < block.Length; i++)
            {
                Vector256<float> x = block.Values[i], w = block.Importance[i], a = scales[g] * Code(x + offset, inverse, top), wa = w * a, wb = w * b;
                aa += wa * a;
                ab += wa * b;
                bb += wb * b;
                ax += wa * x;
                bx += wb * x;
            }
        }
        // In float64: where all mins are alike, the equations are nearly one.
        double sumAA = Vector256.Sum(aa), sumAB = Vector256.Sum(ab), sumBB = Vector256.Sum(bb), sumAX = Vector256.Sum(ax), sumBX = Vector256.Sum(bx);
        double determinant = sumAA * sumBB - sumAB * sumAB;
        if (determinant <= 1e-6 * sumAA * sumBB) return (scale, min);
        double newScale = (sumAX * sumBB - sumBX * sumAB) / determinant, newMin = (sumBX * sumAA - sumAX * sumAB) / determinant;
        return newScale > 0 && newMin > 0 ? (HalfScale.Round((float)newScale), HalfScale.Round((float)newMin)) : (scale, min);
    }

    private void Quantize(SuperBlock super, float scale, float min, ReadOnlySpan<Vector256<float>> scales, ReadOnlySpan<Vector256<float>> mins, Span<byte> codes)
    {
        Span<Vector256<float>> lanes = stackalloc Vector256<float>[super.Length];
        Vector256<float> top = Vector256.Create((float)Top);
        for (int g = 0; g < super.Groups; g++)
        {
            Vector256<float> inverse = LaneBlock.Inverse(scales[g] * scale), offset = mins[g] * min;
            for (int i = 0; i < super.Length; i++) lanes[i] = Code(super[g].Values[i] + offset, inverse, top);
            LaneBlock.Gather(lanes, codes.Slice(g * LaneBlock.Count * super.Length, LaneBlock.Count * super.Length));
        }
    }
}
