namespace Inference.Scheduling;

/// <summary>
/// The blocks that sequences will need until they end, when each grows by a token a step and returns its blocks at its end. Most is needed just before somebody ends, so these moments are looked at, in their
/// order. Made once and filled again for every question.
/// </summary>
/// <param name="capacity">Sequences at most.</param>
internal sealed class ExpectedEnds(int capacity)
{
    private readonly int[] _rests = new int[capacity];
    private readonly (int Blocks, int Phase)[] _sequences = new (int, int)[capacity];

    // [place in a block] sequences whose next token has it.
    private int[] _phases = [];
    private int _count, _size;
    private long _blocks;

    /// <summary>Forgets all sequences.</summary>
    /// <param name="blockSize">Tokens in a block.</param>
    public void Clear(int blockSize)
    {
        if (_phases.Length < blockSize) _phases = new int[blockSize];
        Array.Clear(_phases);
        _size = blockSize;
        _count = 0;
        _blocks = 0;
    }

    /// <summary>Adds a sequence.</summary>
    /// <param name="length">Tokens now.</param>
    /// <param name="rest">Tokens until it ends.</param>
    /// <param name="held">Blocks from its beginning that it need not take any more.</param>
    /// <param name="returned">Blocks of those that are free once it has ended.</param>
    public void Add(int length, int rest, int held, int returned)
    {
        int lacking = length / _size - held, phase = length % _size;
        _rests[_count] = rest;
        _sequences[_count++] = (lacking + returned, phase);
        _blocks += lacking;
        _phases[phase]++;
    }

    /// <summary>The most blocks beyond those held that are needed at any time.</summary>
    public long Peak()
    {
        _rests.AsSpan(0, _count).Sort(_sequences.AsSpan(0, _count));
        long peak = long.MinValue;
        for (int i = 0; i < _count; i++)
        {
            peak = Math.Max(peak, _blocks + Begun(_rests[i], _count - i));
            _blocks -= _sequences[i].Blocks;
            _phases[_sequences[i].Phase]--;
        }
        return peak;
    }

    /// <summary>Blocks that the sequences which are left begin, or have begun, when each is longer by so many tokens.</summary>
    private long Begun(int tokens, int left)
    {
        long blocks = (long)left * (tokens / _size);
        int rest = tokens % _size;
        // A sequence in phase p has p + rest tokens beyond its full blocks: none, or up to one block, or two.
        for (int phase = 0; phase < _size; phase++) blocks += _phases[phase] * (phase + rest > _size ? 2 : phase + rest > 0 ? 1 : 0);
        return blocks;
    }
}
