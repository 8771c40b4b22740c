namespace Inference.Sampling;

/// <summary>
/// Random numbers as a function of (seed, sample index, output position): a request draws the same numbers whatever else runs beside it,
/// and after a preemption. The mixing function is SplitMix64's finaliser (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014), chained.
/// </summary>
internal static class CounterRandom
{
    private const ulong Golden = 0x9e3779b97f4a7c15;

    /// <summary>Uniform in [0, 1), 53 bits.</summary>
    public static double Uniform(ulong seed, int sampleIndex, int position)
    {
        ulong bits = Mix(Mix(Mix(seed + Golden) + (uint)sampleIndex + Golden) + (uint)position + Golden);
        return (bits >> 11) * (1.0 / (1UL << 53));
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
        z = (z ^ z >> 27) * 0x94d049bb133111eb;
        return z ^ z >> 31;
    }
}
