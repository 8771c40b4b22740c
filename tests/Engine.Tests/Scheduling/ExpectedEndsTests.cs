using CsCheck;
using Inference.Scheduling;

namespace Inference.Tests.Scheduling;

public class ExpectedEndsTests
{
    /// <summary>The oracle lets time pass, token by token.</summary>
    [Fact]
    public void The_peak_is_what_a_walk_through_time_finds()
    {
        var ends = new ExpectedEnds(12);
        (from size in Gen.Int[1, 20]
         from sequences in Gen.Select(Gen.Int[1, 60], Gen.Int[0, 60], Gen.Double[0, 1], Gen.Double[0, 1]).Array[1, 12]
         select (size, sequences)).Sample(load =>
        {
            (int Length, int Left, int Held, int Returned)[] sequences = [.. load.sequences.Select(s => (s.Item1, s.Item2, Held: (int)(Blocks(s.Item1) * s.Item3), s.Item4)).Select(s => (s.Item1, s.Item2, s.Held, (int)(s.Held * s.Item4)))];
            ends.Clear(load.size);
            foreach ((int length, int left, int held, int returned) in sequences) ends.Add(length, left, held, returned);
            long peak = Enumerable.Range(0, 61).Max(t => sequences.Sum(s => (long)(s.Left >= t ? Blocks(s.Length + t) - s.Held : -s.Returned)));
            // Beyond the last end nothing is needed.
            Assert.Equal(peak, Math.Max(ends.Peak(), -sequences.Sum(s => s.Returned)));

            int Blocks(int length) => (length + load.size - 1) / load.size;
        }, iter: 3000, threads: 1);
    }
}
