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

    /// <summary>Largest value. Four vectors at a time, since a maximum waits for the one before it.</summary>
    public static float Max(ReadOnlySpan<float> logits)
    {
        Vector<float> a = new(float.NegativeInfinity), b = a, c = a, d = a;
        ReadOnlySpan<Vector<float>> vectors = MemoryMarshal.Cast<float, Vector<float>>(logits);
        int i = 0;
        for (; i + 4 <= vectors.Length; i += 4) (a, b, c, d) = (Vector.Max(a, vectors[i]), Vector.Max(b, vectors[i + 1]), Vector.Max(c, vectors[i + 2]), Vector.Max(d, vectors[i + 3]));
        for (; i < vectors.Length; i++) a = Vector.Max(a, vectors[i]);
        Vector<float> max = Vector.Max(Vector.Max(a, b), Vector.Max(c, d));
        float best = float.NegativeInfinity;
        for (int lane = 0; lane < Vector<float>.Count; lane++) best = MathF.Max(best, max[lane]);
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
