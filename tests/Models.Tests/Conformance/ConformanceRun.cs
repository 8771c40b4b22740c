using Inference.Kernels;

namespace Inference.Models.Tests;

/// <summary>
/// The bounds of <c>shared/conformance/models/README.md</c> for any kernel set: every stored model whose types are read, whole and in chunks, then
/// greedy steps fed with the right tokens. Every failure is listed, and what was covered is printed.
/// </summary>
/// <param name="createKernels">Makes the kernel set, once a run.</param>
/// <param name="kvType">Element type of the pages.</param>
/// <param name="choose">Which models run; default: all.</param>
internal sealed class ConformanceRun(Func<KernelSet> createKernels, KvType kvType = KvType.F32, Func<ConformanceModel, bool>? choose = null)
{
    /// <summary>Bound on every logit with exact weights and F32 KV.</summary>
    private const double ExactBound = 1e-3;

    private static readonly int[][] Chunkings = [[24], [7, 1, 16], [1, 15, 8]];

    private readonly List<string> failures = [];
    private double worstRatio;
    private int positions, steps, stepsTied;

    /// <summary>Weights expanded to F32, F32 activations.</summary>
    public void Exact(string folder, Action<string> print) => Run(folder, print, exact: true);

    /// <summary>The fast path: what a kernel set does by default.</summary>
    public void Fast(string folder, Action<string> print) => Run(folder, print, exact: false);

    private void Run(string folder, Action<string> print, bool exact)
    {
        (List<ConformanceModel> models, List<string> unread) = ConformanceModel.Load(folder);
        if (choose is not null) models = [.. models.Where(choose)];
        Assert.NotEmpty(models);
        using KernelSet kernels = createKernels();
        foreach (ConformanceModel reference in models)
        {
            double before = worstRatio;
            worstRatio = 0;
            using LoadedModel model = LoadedModel.Load(reference.Path, kernels, new(Exact: exact));
            Bounds bounds = exact ? new(ExactBound, ExactBound, double.PositiveInfinity, double.PositiveInfinity)
                : new(1.5 * reference.MaxDiff, 1.25 * reference.RmsDiff, 1.5 * reference.KlMean, 2 * reference.KlMax);
            foreach (int[] chunks in exact ? Chunkings : Chunkings[..2]) CheckPrompt(reference, model, kernels, bounds, chunks);
            CheckGreedy(reference, model, kernels, bounds);
            print($"{reference.Name}: worst ratio to a bound {worstRatio:f3}");
            worstRatio = Math.Max(before, worstRatio);
        }
        print($"conformance on {kernels.Name}, {(exact ? "exact" : "fast")}, {kvType} KV: {models.Count} models, {positions} positions, {steps} greedy steps counted ({stepsTied} too close to count), "
            + $"worst ratio to a bound {worstRatio:f3}; {unread.Count} stored files of types not read");
        Assert.True(failures.Count == 0, string.Join(Environment.NewLine, failures));
    }

    private void CheckPrompt(ConformanceModel reference, LoadedModel model, KernelSet kernels, Bounds bounds, int[] chunks)
    {
        using var sequence = new SequenceRun(model, kernels, kvType, reference.Prompt.Length);
        var logits = new List<float>();
        int start = 0;
        foreach (int count in chunks)
        {
            logits.AddRange(sequence.Append(reference.Prompt.AsSpan(start, count)));
            start += count;
        }
        var difference = Difference.Of([.. logits], reference.ExactLogits, reference.Vocabulary);
        positions += reference.Prompt.Length;
        string what = $"{reference.Name} in chunks of {string.Join("+", chunks)}";
        Require(what, "maximum difference", difference.Max, bounds.Max);
        Require(what, "rms difference", difference.Rms, bounds.Rms);
        Require(what, "mean KL", difference.KlMean, bounds.KlMean);
        Require(what, "maximum KL", difference.KlMax, bounds.KlMax);
        foreach ((int position, double gap) in difference.OtherArgmax)
            if (gap > bounds.Max) failures.Add($"{what}: argmax at position {position} differs although the gap is {gap:g4}");
    }

    private void CheckGreedy(ConformanceModel reference, LoadedModel model, KernelSet kernels, Bounds bounds)
    {
        using var sequence = new SequenceRun(model, kernels, kvType, reference.Prompt.Length + reference.GreedyExact.Length);
        float[] logits = sequence.Append(reference.Prompt);
        for (int step = 0; step < reference.GreedyExact.Length; step++)
        {
            ReadOnlySpan<float> last = logits.AsSpan(logits.Length - reference.Vocabulary);
            int best = Difference.Argmax(last), expected = reference.GreedyExact[step];
            if (reference.GreedyGap[step] <= bounds.Max) stepsTied++;
            else
            {
                steps++;
                if (best != expected) failures.Add($"{reference.Name}: greedy step {step} gave {best} instead of {expected}, gap {reference.GreedyGap[step]:g4}");
            }
            logits = sequence.Append([expected]);
        }
    }

    private void Require(string what, string quantity, double value, double bound)
    {
        // NaN must fail: no comparison with it is true.
        if (!(value <= bound)) failures.Add($"{what}: {quantity} {value:g4} above {bound:g4}");
        if (double.IsFinite(bound)) worstRatio = Math.Max(worstRatio, value / bound);
    }

    private sealed record Bounds(double Max, double Rms, double KlMean, double KlMax);

    /// <summary>How far logits are from the exact ones; KL is of the exact distribution from the other.</summary>
    private sealed record Difference(double Max, double Rms, double KlMean, double KlMax, List<(int Position, double Gap)> OtherArgmax)
    {
        public static Difference Of(float[] actual, float[] exact, int vocabulary)
        {
            Assert.Equal(exact.Length, actual.Length);
            double max = 0, squares = 0, klSum = 0, klMax = 0;
            List<(int, double)> other = [];
            int count = exact.Length / vocabulary;
            for (int position = 0; position < count; position++)
            {
                ReadOnlySpan<float> a = exact.AsSpan(position * vocabulary, vocabulary), b = actual.AsSpan(position * vocabulary, vocabulary);
                double normA = LogSumExp(a), normB = LogSumExp(b), kl = 0;
                for (int i = 0; i < vocabulary; i++)
                {
                    double d = Math.Abs((double)a[i] - b[i]);
                    max = Math.Max(max, d);
                    squares += d * d;
                    kl += Math.Exp(a[i] - normA) * (a[i] - normA - (b[i] - normB));
                }
                klSum += kl;
                klMax = Math.Max(klMax, kl);
                float[] sorted = a.ToArray();
                Array.Sort(sorted);
                if (a.IndexOf(sorted[^1]) != Argmax(b)) other.Add((position, sorted[^1] - sorted[^2]));
            }
            return new(max, Math.Sqrt(squares / exact.Length), klSum / count, klMax, other);
        }

        public static int Argmax(ReadOnlySpan<float> values)
        {
            int best = 0;
            for (int i = 1; i < values.Length; i++)
                if (values[i] > values[best]) best = i;
            return best;
        }

        private static double LogSumExp(ReadOnlySpan<float> values)
        {
            double max = double.NegativeInfinity, sum = 0;
            foreach (float value in values) max = Math.Max(max, value);
            foreach (float value in values) sum += Math.Exp(value - max);
            return max + Math.Log(sum);
        }
    }
}
