using CsCheck;
using Inference.Sampling;

namespace Inference.Tests.Sampling;

/// <summary>The sampler against a plain one that sorts the whole vocabulary.</summary>
public class SamplerTests
{
    /// <summary>Bias, penalties, temperature, top-k, top-p, min-p, each a sentence of the options' documentation.</summary>
    private static (int[] Ids, double[] Probabilities) Distribution(float[] raw, GenerationOptions o, int[] history)
    {
        float[] logits = [.. raw];
        foreach ((int id, float bias) in o.LogitBias ?? new Dictionary<int, float>()) logits[id] += bias;
        foreach (IGrouping<int, int> seen in history.GroupBy(id => id))
        {
            logits[seen.Key] = logits[seen.Key] > 0 ? logits[seen.Key] / o.RepetitionPenalty : logits[seen.Key] * o.RepetitionPenalty;
            logits[seen.Key] -= seen.Count() * o.FrequencyPenalty + o.PresencePenalty;
        }
        int[] ids = [.. Enumerable.Range(0, logits.Length).OrderByDescending(id => logits[id]).ThenBy(id => id)];
        if (o.Temperature == 0) return ([ids[0]], [1]);
        if (o.TopK > 0) ids = [.. ids.Take(o.TopK)];
        double[] weights = [.. ids.Select(id => Math.Exp((logits[id] - logits[ids[0]]) / (double)o.Temperature))];
        double total = weights.Sum(), mass = 0;
        int keep = 0;
        while (keep < ids.Length && (keep == 0 || mass < o.TopP * total)) mass += weights[keep++];
        if (o.TopP >= 1) keep = ids.Length;
        while (keep > 1 && weights[keep - 1] < o.MinP) keep--;
        total = weights.Take(keep).Sum();
        return ([.. ids.Take(keep)], [.. weights.Take(keep).Select(w => w / total)]);
    }

    private static readonly Gen<GenerationOptions> Options =
        from temperature in Gen.OneOf(Gen.Const(0f), Gen.Float[0.1f, 2f])
        from topK in Gen.OneOf(Gen.Const(0), Gen.Int[1, 60])
        from topP in Gen.OneOf(Gen.Const(1f), Gen.Float[0.05f, 0.99f])
        from minP in Gen.OneOf(Gen.Const(0f), Gen.Float[0.01f, 0.5f])
        from repetition in Gen.OneOf(Gen.Const(1f), Gen.Float[0.8f, 2f])
        from frequency in Gen.OneOf(Gen.Const(0f), Gen.Float[-1f, 1f])
        from bias in Gen.OneOf(Gen.Const(0f), Gen.Float[-5f, 5f])
        from seed in Gen.ULong
        select new GenerationOptions
        {
            Temperature = temperature,
            TopK = topK,
            TopP = topP,
            MinP = minP,
            RepetitionPenalty = repetition,
            FrequencyPenalty = frequency,
            PresencePenalty = frequency / 2,
            LogitBias = bias == 0 ? null : new Dictionary<int, float> { [7] = bias },
            Seed = seed,
        };

    [Fact]
    public void Only_tokens_of_the_plain_distribution_are_drawn()
    {
        var gen = Gen.Select(Options, Gen.Float[-8f, 8f].Array[40, 300], Gen.Int[0, 39].Array[0, 20]);
        gen.Sample((options, logits, history) =>
        {
            var sampler = new Sampler(logits.Length);
            TokenCounts counts = new();
            foreach (int id in history) counts.Add(id);
            (int[] ids, _) = Distribution(logits, options, history);
            float[] before = [.. logits];
            for (int position = 0; position < 8; position++)
                Assert.Contains(sampler.Sample(logits, options, counts, default, options.Seed!.Value, position), ids);
            Assert.Equal(before, logits);
        }, iter: 400);
    }

    [Theory]
    [InlineData(1f, 0, 1f, 0f)]
    [InlineData(0.7f, 5, 1f, 0f)]
    [InlineData(1.3f, 0, 0.8f, 0f)]
    [InlineData(1f, 12, 0.9f, 0.1f)]
    [InlineData(1f, 0, 1f, 0.2f)]
    public void Frequencies_follow_the_plain_distribution(float temperature, int topK, float topP, float minP)
    {
        const int draws = 40_000;
        var options = new GenerationOptions { Temperature = temperature, TopK = topK, TopP = topP, MinP = minP };
        var random = new Random(5);
        float[] logits = [.. Enumerable.Range(0, 60).Select(_ => (float)(random.NextDouble() * 6 - 3))];
        (int[] ids, double[] probabilities) = Distribution(logits, options, []);
        var sampler = new Sampler(logits.Length);
        var hits = new int[logits.Length];
        for (int i = 0; i < draws; i++) hits[sampler.Sample(logits, options, null, default, 99, i)]++;
        for (int i = 0; i < ids.Length; i++)
        {
            double sigma = Math.Sqrt(draws * probabilities[i] * (1 - probabilities[i]));
            Assert.InRange(hits[ids[i]], draws * probabilities[i] - 5 * sigma - 1, draws * probabilities[i] + 5 * sigma + 1);
        }
        Assert.Equal(draws, ids.Sum(id => hits[id]));
    }

    [Fact]
    public void Ties_go_to_the_lower_id()
    {
        float[] logits = [1, 3, 3, 2, 3];
        var sampler = new Sampler(5);
        Assert.Equal(1, sampler.Sample(logits, new GenerationOptions(), null, default, 0, 0));
        for (int position = 0; position < 50; position++)
            Assert.InRange(sampler.Sample(logits, new GenerationOptions { Temperature = 1, TopK = 2 }, null, default, 0, position), 1, 2);
    }

    [Fact]
    public void Banned_tokens_are_never_chosen()
    {
        var sampler = new Sampler(3);
        for (int position = 0; position < 50; position++)
            Assert.Equal(2, sampler.Sample([9f, 8f, 1f], new GenerationOptions { Temperature = position % 2 }, null, [0, 1], 1, position));
    }

    [Fact]
    public void Numbers_depend_on_seed_sample_and_position_only()
    {
        double[] all = [.. from seed in (ulong[])[0, 1, 2] from sample in (int[])[0, 1] from position in (int[])[0, 1, 2] select CounterRandom.Uniform(seed, sample, position)];
        Assert.Equal(all.Length, all.Distinct().Count());
        Assert.All(all, u => Assert.InRange(u, 0, 1));
        Assert.Equal(all[4], CounterRandom.Uniform(0, 1, 1));
        double mean = Enumerable.Range(0, 20_000).Average(i => CounterRandom.Uniform(7, 0, i));
        Assert.InRange(mean, 0.49, 0.51);
    }

    [Fact]
    public void Logprobs_are_natural_logs_of_the_unmodified_distribution()
    {
        float[] logits = [0.5f, -1f, 3f, 3f, 0f];
        double sum = logits.Sum(l => Math.Exp(l));
        TokenLogprobs actual = LogitMath.Logprobs(logits, 1, 3);
        Assert.Equal(Math.Log(Math.Exp(-1) / sum), actual.Logprob, 1e-5);
        Assert.Equal([2, 3, 0], actual.Top.Select(t => t.Id));
        Assert.Equal(Math.Log(Math.Exp(3) / sum), actual.Top[0].Logprob, 1e-5);
        Assert.Equal(1, actual.Id);
    }
}
