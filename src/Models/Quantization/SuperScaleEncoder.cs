using System.Runtime.Intrinsics;

namespace Inference.Models;

/// <summary>
/// Types whose 256 weights share a float16 scale and have a whole-number factor per sub-block: weight = scale * factor * level. The factors are
/// fitted one by one, then factors and scale in turn.
/// </summary>
internal abstract class SuperScaleEncoder<TLevels> : BlockEncoder where TLevels : ILevels
{
    private const int Weights = 256;

    /// <summary>Rounds of choosing factors for the scale and fitting the scale to them.</summary>
    private const int Rounds = 2;

    /// <summary>Sub-blocks, 8 or 16.</summary>
    protected abstract int SubBlocks { get; }

    /// <summary>Factors run from -Range to Range - 1.</summary>
    protected abstract int Range { get; }

    /// <summary>Writes one block.</summary>
    protected abstract void Pack(ushort scale, ReadOnlySpan<sbyte> factors, ReadOnlySpan<byte> codes, Span<byte> block);

    public sealed override void Encode(ReadOnlySpan<float> values, ReadOnlySpan<float> importance, Span<byte> blocks)
    {
        Span<Vector256<float>> room = stackalloc Vector256<float>[2 * Weights / LaneBlock.Count], factors = stackalloc Vector256<float>[2];
        Span<byte> codes = stackalloc byte[Weights];
        Span<sbyte> whole = stackalloc sbyte[SubBlocks];
        for (; values.Length > 0; values = values[Weights..], blocks = blocks[BlockBytes..])
        {
            var super = new SuperBlock(values[..Weights], importance.IsEmpty ? importance : importance[..Weights], SubBlocks, room);
            float scale = Fit(super, factors[..super.Groups]);
            Quantize(super, scale, factors, codes);
            for (int j = 0; j < SubBlocks; j++) whole[j] = (sbyte)factors[j / LaneBlock.Count][j % LaneBlock.Count];
            Pack(HalfScale.Bits(scale), whole, codes, blocks[..BlockBytes]);
            if (!importance.IsEmpty) importance = importance[Weights..];
        }
    }

    /// <summary>The scale as float16 has it, and each sub-block's factor.</summary>
    private float Fit(SuperBlock super, Span<Vector256<float>> factors)
    {
        Span<Vector256<float>> best = stackalloc Vector256<float>[factors.Length];
        float largest = 0;
        for (int g = 0; g < super.Groups; g++)
        {
            factors[g] = ScaleFit.Search<TLevels>(super[g]);
            for (int lane = 0; lane < LaneBlock.Count; lane++)
                if (Math.Abs(factors[g][lane]) > Math.Abs(largest)) largest = factors[g][lane];
        }
        float scale = HalfScale.Round(largest / -Range), bestScale = 0, bestError = float.PositiveInfinity;
        for (int g = 0; g < super.Groups; g++) factors[g] = Clamp(Vector256.Round(factors[g] * (scale == 0 ? 0 : 1 / scale)));
        for (int round = 0; ; round++)
        {
            float error = 0;
            for (int g = 0; g < super.Groups; g++) error += Vector256.Sum(Choose(super[g], scale, ref factors[g]));
            if (error < bestError)
            {
                (bestError, bestScale) = (error, scale);
                factors.CopyTo(best);
            }
            if (round == Rounds) break;
            scale = HalfScale.Round(FitScale(super, scale, factors));
        }
        best.CopyTo(factors);
        return bestScale;
    }

    private Vector256<float> Clamp(Vector256<float> factors) => Vector256.Min(Vector256.Max(factors, Vector256.Create((float)-Range)), Vector256.Create((float)Range - 1));

    /// <summary>Moves each factor to that of its neighbours that has the smallest error, and returns the errors.</summary>
    private Vector256<float> Choose(LaneBlock block, float scale, ref Vector256<float> factors)
    {
        Vector256<float> center = factors, least = Vector256.Create(float.PositiveInfinity);
        for (int step = -1; step <= 1; step++)
        {
            Vector256<float> candidate = Clamp(center + Vector256.Create((float)step)), product = candidate * scale, inverse = LaneBlock.Inverse(product), error = Vector256<float>.Zero;
            for (int i = 0; i < block.Length; i++)
            {
                Vector256<float> miss = block.Values[i] - product * TLevels.Nearest(block.Values[i] * inverse);
                error += block.Importance[i] * miss * miss;
            }
            Vector256<float> better = Vector256.LessThan(error, least);
            least = Vector256.ConditionalSelect(better, error, least);
            factors = Vector256.ConditionalSelect(better, candidate, factors);
        }
        return least;
    }

    /// <summary>The best scale for the levels and factors that another one leads to.</summary>
    private static float FitScale(SuperBlock super, float scale, ReadOnlySpan<Vector256<float>> factors)
    {
        Vector256<float> product = Vector256<float>.Zero, square = Vector256<float>.Zero;
        for (int g = 0; g < super.Groups; g++)
        {
            LaneBlock block = super[g];
            Vector256<float> inverse = LaneBlock.Inverse(factors[g] * scale);
            for (int i = 0; i < block.Length; i++)
            {
                Vector256<float> level = factors[g] * TLevels.Nearest(block.Values[i] * inverse), weighted = block.Importance[i] * level;
                product += weighted * block.Values[i];
                square += weighted * level;
            }
        }
        float sum = Vector256.Sum(square);
        return sum > 0 ? Vector256.Sum(product) / sum : 0;
    }

    private static void Quantize(SuperBlock super, float scale, ReadOnlySpan<Vector256<float>> factors, Span<byte> codes)
    {
        Span<Vector256<float>> lanes = stackalloc Vector256<float>[super.Length];
        for (int g = 0; g < super.Groups; g++)
        {
            Vector256<float> inverse = LaneBlock.Inverse(factors[g] * scale);
            for (int i = 0; i < super.Length; i++) lanes[i] = TLevels.Codes(TLevels.Nearest(super[g].Values[i] * inverse));
            LaneBlock.Gather(lanes, codes.Slice(g * LaneBlock.Count * super.Length, LaneBlock.Count * super.Length));
        }
    }
}
