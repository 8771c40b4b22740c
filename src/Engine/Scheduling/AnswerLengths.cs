using System.Numerics;

namespace Inference.Scheduling;

/// <summary>
/// How much longer answers go on, learnt from every answer so far: tokens that answers of at least some length were extended by, over how many of them ended of themselves. That is the mean rest of an
/// answer that has come so far. What is cut (at max tokens, by a cancellation, or still running) counts with its tokens and no end, so it does not make others look short; where nothing ends of itself the
/// rest grows beyond every limit. In whole numbers, so the same everywhere.
/// </summary>
internal sealed class AnswerLengths
{
    /// <summary>What is assumed before anything is known: one answer of this length, some paragraphs. The first few answers outweigh it.</summary>
    public const int PriorLength = 256;

    // Then all counts are halved: what an hour ago was usual says little about now.
    private const int Most = 1 << 20;

    // By length: one bucket for each of 0 to 7, then four for every doubling.
    private readonly long[] _tokens = new long[128], _ends = new long[128];
    private int _counted;

    /// <summary>An answer of <paramref name="length"/> tokens has got another one.</summary>
    public void Extended(int length)
    {
        _tokens[Bucket(length)]++;
        if (++_counted < Most) return;
        _counted /= 2;
        for (int i = 0; i < _tokens.Length; i++)
        {
            _tokens[i] /= 2;
            _ends[i] /= 2;
        }
    }

    /// <summary>An answer has ended of itself with <paramref name="length"/> tokens.</summary>
    public void Ended(int length) => _ends[Bucket(length)]++;

    /// <summary>Tokens that an answer of <paramref name="length"/> tokens goes on for on average, unless it is cut.</summary>
    public int Rest(int length)
    {
        long tokens = PriorLength, ends = 1;
        for (int i = Bucket(length); i < _tokens.Length; i++)
        {
            tokens += _tokens[i];
            ends += _ends[i];
        }
        return (int)(tokens / ends);
    }

    private static int Bucket(int length)
    {
        int octave = Math.Max(0, BitOperations.Log2((uint)length) - 2);
        return octave * 4 + (length >> octave);
    }
}
