using System.Buffers;

namespace Inference.Models;

/// <summary>Finds the tokens that are matched in the text before any merging: control, user-defined and unknown ones; leftmost, then longest.</summary>
internal sealed class SpecialTokens
{
    private readonly Dictionary<string, int> ids = [];
    private readonly int[] lengthsDescending;
    private readonly SearchValues<string> spellings;
    private readonly HashSet<int> absorbsSpace = [];

    public SpecialTokens(VocabularyData vocabulary)
    {
        for (int id = 0; id < vocabulary.Tokens.Length; id++)
            if (vocabulary.Types[id] is TokenType.Control or TokenType.UserDefined or TokenType.Unknown && vocabulary.Tokens[id].Length > 0)
                ids.TryAdd(vocabulary.Tokens[id], id);
        lengthsDescending = [.. ids.Keys.Select(text => text.Length).Distinct().OrderDescending()];
        spellings = SearchValues.Create([.. ids.Keys], StringComparison.Ordinal);
        if (ids.ContainsKey("<|placeholder1|>") && vocabulary.Model == SentencePieceTokenizer.Family) AbsorbSpaceAsPhi3Does();
    }

    /// <summary>The first special token of <paramref name="text"/>.</summary>
    /// <param name="text">Where to look.</param>
    /// <param name="start">Where its spelling starts.</param>
    /// <param name="length">Characters that it takes, with white space that it absorbs.</param>
    /// <param name="id">The token.</param>
    public bool TryFind(ReadOnlySpan<char> text, out int start, out int length, out int id)
    {
        start = text.IndexOfAny(spellings);
        (length, id) = (0, 0);
        if (start < 0) return false;
        ReadOnlySpan<char> rest = text[start..];
        var lookup = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (int candidate in lengthsDescending)
        {
            if (candidate > rest.Length || !lookup.TryGetValue(rest[..candidate], out id)) continue;
            length = candidate;
            break;
        }
        if (absorbsSpace.Contains(id))
            while (length < rest.Length && char.IsWhiteSpace(rest[length])) length++;
        return true;
    }

    /// <summary>
    /// Phi-3's role and end tokens swallow the white space after them. GGUF has no field for that, so the vocabulary is known by its placeholder tokens.
    /// </summary>
    private void AbsorbSpaceAsPhi3Does()
    {
        foreach ((string text, int id) in ids)
            if (text is not ("<unk>" or "<s>" or "<|endoftext|>")) absorbsSpace.Add(id);
    }
}
