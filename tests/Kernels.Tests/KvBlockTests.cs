namespace Inference.Kernels.Tests;

/// <summary>Rounding of K and V to the quantised types: error bounds that follow from the definitions, and what sits at the edges.</summary>
public class KvBlockTests
{
    private static float[] Block(Random random, double spread) => [.. Enumerable.Range(0, 32).Select(_ => (float)(spread * (random.NextDouble() + random.NextDouble() - 1)))];

    private static float[] Round(float[] x, KvType type)
    {
        var y = new float[x.Length];
        KvBlock.Round(x, y, type);
        return y;
    }

    [Theory]
    [InlineData(KvType.Q8_0, 127)]
    [InlineData(KvType.Q4_0, 8)]
    internal void Every_element_is_rounded_to_the_nearest_step(KvType type, int steps)
    {
        var random = new Random(steps);
        foreach (double spread in (double[])[1e-4, 0.02, 1, 300, 20000])
            for (int n = 0; n < 100; n++)
            {
                float[] x = Block(random, spread), y = Round(x, type);
                float largest = x.Max(Math.Abs), extreme = x.First(v => Math.Abs(v) == largest);
                double step = largest / steps, scaleError = Math.Max(step / 2048, Math.Pow(2, -25));
                for (int i = 0; i < 32; i++)
                {
                    // Four bits reach 8 steps towards the extreme and 7 away from it.
                    double clipped = type == KvType.Q4_0 && x[i] * extreme < 0 ? Math.Max(0, Math.Abs(x[i]) - 7.5 * step) : 0;
                    Assert.True(Math.Abs(x[i] - y[i]) <= step / 2 + steps * scaleError + clipped, $"{x[i]:R} became {y[i]:R}, step {step:R}");
                }
                Assert.Equal(extreme, y[Array.IndexOf(x, extreme)], steps * scaleError + 1e-9);
            }
    }

    [Theory]
    [InlineData(KvType.Q8_0)]
    [InlineData(KvType.Q4_0)]
    internal void Steps_themselves_are_kept_and_zeros_stay_zeros(KvType type)
    {
        float[] x = [.. Enumerable.Range(0, 32).Select(i => 0.25f * (i % 16 - 8))];
        if (type == KvType.Q8_0) x[0] = -31.75f; // 127 steps of 0.25
        Assert.Equal(x, Round(x, type));
        Assert.All(Round(new float[32], type), y => Assert.Equal(0, y));
        // Below the smallest scale nothing is left; nothing overflows on the way.
        float[] tiny = [.. Enumerable.Repeat(1e-9f, 32)];
        Assert.All(Round(tiny, type), y => Assert.Equal(0, y));
    }

    [Fact]
    public void Blocks_are_rounded_apart()
    {
        var random = new Random(1);
        float[] small = Block(random, 0.01), large = Block(random, 50);
        Assert.Equal([.. Round(small, KvType.Q4_0), .. Round(large, KvType.Q4_0)], Round([.. small, .. large], KvType.Q4_0));
    }

    [Fact]
    public void Bfloat16_rounds_to_even()
    {
        var random = new Random(2);
        for (int n = 0; n < 10000; n++)
        {
            float x = BitConverter.Int32BitsToSingle(random.Next(int.MinValue, int.MaxValue)), y = Brain16.ToSingle(Brain16.FromSingle(x));
            if (float.IsNaN(x)) { Assert.True(float.IsNaN(y)); continue; }
            float down = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(x) & 0xffff0000u), up = BitConverter.UInt32BitsToSingle((BitConverter.SingleToUInt32Bits(x) & 0xffff0000u) + 0x10000u);
            double below = Math.Abs((double)x - down), above = Math.Abs((double)up - x);
            if (float.IsFinite(up) && below != above) Assert.Equal(below < above ? down : up, y);
        }
        Assert.Equal(0x3f80, Brain16.FromSingle(1.00390625f)); // 1 + 2^-8, a tie: the even neighbour
        Assert.Equal(0x3f82, Brain16.FromSingle(1.01171875f)); // 1 + 3 * 2^-8
    }
}
