using System.Numerics;

namespace Inference.Sampling;

/// <summary>
/// Chooses a token from a row of logits: logit bias, penalties, temperature, top-k, top-p, min-p, then one draw. The vocabulary is never
/// sorted as a whole: only tokens that can be kept are collected, and those are sorted. One instance serves all requests, on one thread at a time.
/// </summary>
internal sealed class Sampler(int vocabularySize)
{
    // A token this far below the best (in units of temperature) has a weight under 1e-26, less than the random number can tell apart.
    private const float Negligible = 60;

    private readonly record struct Candidate(int Id, float Logit) : IComparable<Candidate>
    {
        /// <summary>Most likely first, ties to the lower id.</summary>
        public int CompareTo(Candidate other) => Logit != other.Logit ? other.Logit.CompareTo(Logit) : Id.CompareTo(other.Id);
    }

    private Candidate[] candidates = new Candidate[256];
    private double[] weights = new double[256];
    private float[] scratch = [];

    /// <summary>Chooses a token.</summary>
    /// <param name="logits">Raw logits, left as they are.</param>
    /// <param name="options">The request's options.</param>
    /// <param name="counts">Occurrences in prompt and output; null where no penalty is set.</param>
    /// <param name="banned">Tokens that may not be chosen.</param>
    /// <param name="seed">The request's seed.</param>
    /// <param name="position">Output position, from 0.</param>
    public int Sample(ReadOnlySpan<float> logits, GenerationOptions options, TokenCounts? counts, ReadOnlySpan<int> banned, ulong seed, int position)
    {
        if (counts is not null || banned.Length > 0 || options.LogitBias is { Count: > 0 })
        {
            if (scratch.Length == 0) scratch = new float[vocabularySize];
            Span<float> adjusted = scratch.AsSpan(0, logits.Length);
            logits.CopyTo(adjusted);
            foreach ((int id, float bias) in options.LogitBias ?? EmptyBias) adjusted[id] += bias;
            counts?.Apply(adjusted, options.RepetitionPenalty, options.FrequencyPenalty, options.PresencePenalty);
            foreach (int id in banned) adjusted[id] = float.NegativeInfinity;
            logits = adjusted;
        }
        if (options.Temperature == 0 || options.TopK == 1) return LogitMath.ArgMax(logits);
        double random = CounterRandom.Uniform(seed, options.SampleIndex, position);
        float scale = 1 / options.Temperature, max;
        int kept;
        double mass = 0; // of the distribution that top-p cuts; 0 when it is the candidates' own
        if (options.TopK > 0 && options.TopK < logits.Length)
        {
            kept = SelectTopK(logits, options.TopK);
            max = candidates[0].Logit; // the best is among them: no pass of its own to find it
            if (!IsUsable(scale, max)) return LogitMath.ArgMax(logits);
        }
        else
        {
            max = LogitMath.Max(logits);
            if (!IsUsable(scale, max)) return LogitMath.ArgMax(logits);
            kept = options.TopP < 1 ? SelectNucleus(logits, max, scale, options.TopP, out mass) : SelectAbove(logits, max - Negligible / scale);
        }
        return Draw(candidates.AsSpan(0, kept), max, scale, options, mass, random);
    }

    private static readonly Dictionary<int, float> EmptyBias = [];

    /// <summary>A temperature so small that its inverse is not finite is greedy, and so are logits without a finite maximum.</summary>
    private static bool IsUsable(float scale, float max) => float.IsFinite(scale) && float.IsFinite(max);

    /// <summary>Collects the k best through a heap whose root is the worst one kept; most rows fail the first comparison.</summary>
    private int SelectTopK(ReadOnlySpan<float> logits, int k)
    {
        EnsureCapacity(k);
        Span<Candidate> heap = candidates.AsSpan(0, k);
        for (int id = 0; id < k; id++) heap[id] = new Candidate(id, logits[id]);
        for (int i = k / 2 - 1; i >= 0; i--) SiftDown(heap, i);
        int width = Vector<float>.Count, next = k;
        while (next < logits.Length)
        {
            // Whole vectors without one that is better than the worst kept are passed over. (NaN is not less or equal, here as below.)
            if (next + width <= logits.Length && Vector.LessThanOrEqualAll(new Vector<float>(logits[next..]), new Vector<float>(heap[0].Logit)))
            {
                next += width;
                continue;
            }
            for (int end = Math.Min(next + width, logits.Length); next < end; next++)
            {
                // An equal logit with a higher id loses the tie.
                if (logits[next] <= heap[0].Logit) continue;
                heap[0] = new Candidate(next, logits[next]);
                SiftDown(heap, 0);
            }
        }
        heap.Sort();
        return k;
    }

    private static void SiftDown(Span<Candidate> heap, int i)
    {
        while (true)
        {
            int worst = i, left = 2 * i + 1, right = left + 1;
            if (left < heap.Length && heap[left].CompareTo(heap[worst]) > 0) worst = left;
            if (right < heap.Length && heap[right].CompareTo(heap[worst]) > 0) worst = right;
            if (worst == i) return;
            (heap[i], heap[worst]) = (heap[worst], heap[i]);
            i = worst;
        }
    }

    /// <summary>Collects the tokens within a widening distance of the best until they hold the wanted mass, then sorts those.</summary>
    private int SelectNucleus(ReadOnlySpan<float> logits, float max, float scale, float topP, out double total)
    {
        total = 0;
        foreach (float logit in logits) total += Weight(logit, max, scale);
        for (float distance = 4; ; distance *= 2)
        {
            int count = SelectAbove(logits, max - distance / scale);
            double mass = 0;
            for (int i = 0; i < count; i++) mass += Weight(candidates[i].Logit, max, scale);
            if (mass < topP * total && distance < Negligible) continue;
            candidates.AsSpan(0, count).Sort();
            return count;
        }
    }

    /// <summary>Collects, in order of id, the tokens with at least that logit.</summary>
    private int SelectAbove(ReadOnlySpan<float> logits, float least)
    {
        int count = 0;
        for (int id = 0; id < logits.Length; id++)
        {
            if (!(logits[id] >= least)) continue;
            EnsureCapacity(count + 1);
            candidates[count++] = new Candidate(id, logits[id]);
        }
        return count;
    }

    /// <summary>Cuts by top-p and min-p and draws from what is left. With a cut, <paramref name="kept"/> is sorted, most likely first.</summary>
    private int Draw(ReadOnlySpan<Candidate> kept, float max, float scale, GenerationOptions options, double mass, double random)
    {
        double total = 0;
        for (int i = 0; i < kept.Length; i++) total += weights[i] = Weight(kept[i].Logit, max, scale);
        if (options.TopP < 1)
        {
            double wanted = options.TopP * (mass == 0 ? total : mass), covered = 0;
            int n = 0;
            while (n < kept.Length && (n == 0 || covered < wanted)) covered += weights[n++];
            kept = kept[..n];
        }
        total = 0;
        for (int i = 0; i < kept.Length; i++)
        {
            if (weights[i] < options.MinP) weights[i] = 0; // the best has weight 1
            total += weights[i];
        }
        double target = random * total, sum = 0;
        int last = 0;
        for (int i = 0; i < kept.Length; i++)
        {
            if (weights[i] == 0) continue;
            last = i;
            sum += weights[i];
            if (sum > target) break;
        }
        return kept[last].Id;
    }

    private static double Weight(float logit, float max, float scale) => Math.Exp((double)(logit - max) * scale);

    private void EnsureCapacity(int count)
    {
        if (candidates.Length >= count) return;
        int size = Math.Min(Math.Max(count, candidates.Length * 2), Math.Max(count, vocabularySize));
        weights = new double[size]; // first: there must never be fewer of them than candidates
        Array.Resize(ref candidates, size);
    }
}
