using Inference.Kernels;

namespace Inference.Models;

/// <summary>Rotary position embedding (RoFormer, arXiv 2104.09864) and how it is stretched for contexts longer than those trained on.</summary>
internal sealed record RopeSpec
{
    /// <summary>Base of the frequencies.</summary>
    public required double Theta { get; init; }

    /// <summary>Leading dims of a head that turn; even.</summary>
    public required int Dims { get; init; }

    /// <summary>Which dims form a pair.</summary>
    public required RopeStyle Style { get; init; }

    /// <summary>Factor by which the context was stretched: frequencies are divided by it (arXiv 2306.15595), all or, with <see cref="Yarn"/>, the slow ones. 1: not.</summary>
    public double Scaling { get; init; } = 1;

    /// <summary>Which frequencies the scaling spares; null: none.</summary>
    public YarnSpec? Yarn { get; init; }

    /// <summary>Factor of cosines and sines.</summary>
    public double Amplitude { get; init; } = 1;

    /// <summary>[Dims / 2] divisors of the frequencies (Llama 3.1 keeps them in a tensor); null: all 1.</summary>
    public float[]? FrequencyFactors { get; init; }

    /// <summary>[Dims / 2] radians per position.</summary>
    public double[] Frequencies()
    {
        var frequencies = new double[Dims / 2];
        for (int i = 0; i < frequencies.Length; i++)
        {
            double trained = Math.Pow(Theta, -2.0 * i / Dims) / (FrequencyFactors?[i] ?? 1), stretched = trained / Scaling;
            double spared = Yarn?.Spared(i, Dims, Theta) ?? 0;
            frequencies[i] = spared * trained + (1 - spared) * stretched;
        }
        return frequencies;
    }
}

/// <summary>
/// YaRN (arXiv 2309.00071): a pair that makes many turns within the original context keeps its frequency, one that makes few is stretched, with a
/// linear ramp between.
/// </summary>
/// <param name="OriginalContext">Positions before stretching.</param>
/// <param name="BetaFast">Turns from which a pair is left alone.</param>
/// <param name="BetaSlow">Turns up to which a pair is stretched in full.</param>
internal sealed record YarnSpec(double OriginalContext, double BetaFast = 32, double BetaSlow = 1)
{
    /// <summary>Share of the trained frequency that pair <paramref name="pair"/> keeps, 0 to 1.</summary>
    public double Spared(int pair, int dims, double theta)
    {
        double low = Math.Max(0, Math.Floor(PairOf(BetaFast))), high = Math.Min(dims - 1, Math.Ceiling(PairOf(BetaSlow)));
        return 1 - Math.Clamp((pair - low) / Math.Max(high - low, 0.001), 0, 1);

        // The pair that makes so many turns within the original context.
        double PairOf(double turns) => dims * Math.Log(OriginalContext / (turns * 2 * Math.PI)) / (2 * Math.Log(theta));
    }

    /// <summary>The attention temperature the paper recommends, as a factor of cosines and sines.</summary>
    public static double Amplitude(double scaling) => scaling <= 1 ? 1 : 0.1 * Math.Log(scaling) + 1;
}
