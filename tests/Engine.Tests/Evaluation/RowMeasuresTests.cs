using Inference.Evaluation;

namespace Inference.Tests.Evaluation;

/// <summary>Measures of random rows against the textbook sums in float64.</summary>
public class RowMeasuresTests
{
    private static float[] Row(Random random, int vocabulary, double spread) => [.. Enumerable.Range(0, vocabulary).Select(_ => (float)(spread * (random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5)))];

    private static double[] Probabilities(float[] row)
    {
        double max = row.Max(), sum = row.Sum(x => Math.Exp(x - max));
        return [.. row.Select(x => Math.Exp(x - max) / sum)];
    }

    [Theory]
    [InlineData(2, 1)]
    [InlineData(77, 8)]
    [InlineData(4096, 12)]
    public void Rows_give_the_textbook_figures(int vocabulary, double spread)
    {
        var random = new Random(vocabulary);
        for (int n = 0; n < 20; n++)
        {
            float[] row = Row(random, vocabulary, spread), other = Row(random, vocabulary, spread);
            double[] p = Probabilities(row), q = Probabilities(other);
            int token = random.Next(vocabulary);
            Assert.Equal(-Math.Log(p[token]), RowMeasures.NegativeLogLikelihood(row, token), 1e-5);
            double divergence = p.Zip(q, (a, b) => a * Math.Log(a / b)).Sum();
            Assert.Equal(divergence, RowMeasures.KullbackLeibler(row, other), 1e-5 * Math.Max(1, divergence));
            Assert.Equal(0, RowMeasures.KullbackLeibler(row, row));
        }
    }

    [Fact]
    public void A_saved_row_keeps_logits_and_the_top_token()
    {
        var random = new Random(5);
        foreach (double spread in (double[])[0, 0.01, 3, 9])
        {
            float[] row = Row(random, 1000, spread), back = new float[1000];
            var record = new byte[SavedRow.Bytes(1000)];
            SavedRow.Encode(row, record);
            Assert.True(SavedRow.IsIntact(record));
            Assert.Equal(Array.IndexOf(row, row.Max()), SavedRow.Top(record));
            SavedRow.Decode(record, back);
            Assert.All(row.Zip(back), pair => Assert.Equal(pair.First, pair.Second, 3e-4f));
            record[random.Next(record.Length)] ^= 0x10;
            Assert.False(SavedRow.IsIntact(record));
        }
    }

    [Fact]
    public void A_logit_far_below_the_largest_is_kept_as_improbable()
    {
        float[] row = [3, float.NegativeInfinity, -500, 2], back = new float[4];
        var record = new byte[SavedRow.Bytes(4)];
        SavedRow.Encode(row, record);
        SavedRow.Decode(record, back);
        Assert.Equal([3, -29, -29, 2], back.Select(x => Math.Round(x, 3)));
    }

    [Fact]
    public void Moments_are_those_of_the_values()
    {
        var moments = new Moments();
        Assert.Equal(0, moments.StandardError);
        double[] values = [1e9 + 1, 1e9 + 2, 1e9 + 4, 1e9 + 9];
        foreach (double value in values) moments.Add(value);
        double variance = values.Sum(v => (v - values.Average()) * (v - values.Average())) / 3;
        Assert.Equal((1e9 + 4, 1e9 + 9, 4L), (moments.Mean, moments.Max, moments.Count));
        Assert.Equal(Math.Sqrt(variance / 4), moments.StandardError, 1e-7);
    }
}
