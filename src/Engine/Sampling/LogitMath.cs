using System.IO.Hashing;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Inference.Sampling;

/// <summary>Reductions over a row of logits.</summary>
internal static class LogitMath
{
    /// <summary>Index of the largest value, the lowest of equals.</summary>
    public static int ArgMax(ReadOnlySpan<float> logits)
    {
        float best = Max(logits);
        int index = logits.IndexOf(best);
        return index < 0 ? 0 : index;
    }

    /// <summary>Largest value.</summary>
    public static float Max(ReadOnlySpan<float> logits)
    {
        var max = new Vector<float>(float.NegativeInfinity);
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        foreach (Vector<float> v in vectors) max = Vector.Max(max, v);
        float best = float.NegativeInfinity;
        for (int i = 0; i < Vector<float>.Count; i++) best = MathF.Max(best, max[i]);
        foreach (float value in logits[(vectors.Length * Vector<float>.Count)..]) best = MathF.Max(best, value);
        return best;
    }

    /// <summary>log(sum(exp(logits))), summed in double in the order of ids.</summary>
    public static double LogSumExp(ReadOnlySpan<float> logits)
    {
        float max = Max(logits);
        double sum = 0;
        foreach (float value in logits) sum += MathF.Exp(value - max);
        return max + Math.Log(sum);
    }

    /// <summary>XXH3-64 of the row's bits.</summary>
    public static ulong Hash(ReadOnlySpan<float> logits) => XxHash3.HashToUInt64(MemoryMarshal.AsBytes(logits));

    /// <summary>Log probabilities of one token and of the <paramref name="top"/> most likely ones.</summary>
    public static TokenLogprobs Logprobs(ReadOnlySpan<float> logits, int token, int top)
    {
        double normalizer = LogSumExp(logits);
        var best = new TokenLogprob[Math.Min(top, logits.Length)];
        int count = 0;
        for (int id = 0; id < logits.Length && best.Length > 0; id++)
        {
            float logprob = (float)(logits[id] - normalizer);
            if (count == best.Length && logprob <= best[^1].Logprob) continue;
            int at = count < best.Length ? count++ : count - 1;
            for (; at > 0 && best[at - 1].Logprob < logprob; at--) best[at] = best[at - 1];
            best[at] = new TokenLogprob(id, logprob);
        }
        return new TokenLogprobs(token, (float)(logits[token] - normalizer), best);
    }
}
