using System.Runtime.InteropServices;

namespace Inference.Scheduling;

/// <summary>What a step yielded, per sequence of its plan: 0..k tokens, and whether the sequence ends. Made once and cleared for every step.</summary>
internal sealed class StepResults
{
    private readonly List<int>[] _tokens;
    private readonly bool[] _finished;

    /// <param name="maxSequences">Sequences of a step at most.</param>
    public StepResults(int maxSequences)
    {
        _tokens = new List<int>[maxSequences];
        for (int i = 0; i < maxSequences; i++) _tokens[i] = new List<int>(1);
        _finished = new bool[maxSequences];
    }

    /// <summary>Forgets the last step.</summary>
    public void Clear()
    {
        foreach (List<int> tokens in _tokens) tokens.Clear();
        Array.Clear(_finished);
    }

    /// <summary>Adds a token to those that the step yielded for a sequence of the plan.</summary>
    public void AddToken(int sequence, int token) => _tokens[sequence].Add(token);

    /// <summary>The sequence ends after the tokens of this step: the engine found a stop, or an error that is the sequence's own.</summary>
    public void Finish(int sequence) => _finished[sequence] = true;

    /// <summary>Tokens of a sequence of the plan, in order.</summary>
    public ReadOnlySpan<int> Tokens(int sequence) => CollectionsMarshal.AsSpan(_tokens[sequence]);

    /// <summary>Whether a sequence of the plan ends.</summary>
    public bool IsFinished(int sequence) => _finished[sequence];
}
