using Inference.Sampling;

namespace Inference.Evaluation;

/// <summary>What a row of logits says of the token that came, and of another run's row.</summary>
/// <param name="Nll">-ln p(token), natural log.</param>
/// <param name="Divergence">KL(base || this), natural log; 0 without a base.</param>
/// <param name="SameTop">Whether both rows have the same most likely token; false without a base.</param>
internal readonly record struct RowMeasures(double Nll, double Divergence, bool SameTop)
{
    /// <param name="row">Logits, [vocabulary].</param>
    /// <param name="token">The token that came.</param>
    public static double NegativeLogLikelihood(ReadOnlySpan<float> row, int token) => LogitMath.LogSumExp(row) - row[token];

    /// <summary>KL(p || q) = sum of p ln(p / q) of two rows of logits, summed in double. (Kullback and Leibler 1951)</summary>
    public static double KullbackLeibler(ReadOnlySpan<float> p, ReadOnlySpan<float> q)
    {
        double normalizerP = LogitMath.LogSumExp(p), normalizerQ = LogitMath.LogSumExp(q), sum = 0;
        for (int i = 0; i < p.Length; i++)
        {
            double logP = p[i] - normalizerP;
            sum += Math.Exp(logP) * (logP - (q[i] - normalizerQ));
        }
        // Never negative but for rounding.
        return Math.Max(0, sum);
    }
}
