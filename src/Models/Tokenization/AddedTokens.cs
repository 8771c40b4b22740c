using System.Buffers;

namespace Inference.Models;

/// <summary>Finds added tokens in a text: leftmost, then longest.</summary>
internal sealed class AddedTokens
{
    private static readonly CharacterSet Word = new(CharacterClass.Word);

    private readonly TokenTrie trie;
    private readonly SearchValues<char> firstCharacters;
    private readonly Dictionary<int, AddedToken> special = [];

    /// <param name="tokens">Of equal spellings, the first counts.</param>
    public AddedTokens(IReadOnlyCollection<AddedToken> tokens)
    {
        trie = new TokenTrie(tokens.Sum(token => token.Text.Length));
        foreach (AddedToken token in tokens)
        {
            trie.Add(token.Text, token.Id);
            if (token.TakesSpaceBefore || token.TakesSpaceAfter || token.WholeWord) special.TryAdd(token.Id, token);
        }
        firstCharacters = SearchValues.Create([.. tokens.Select(token => token.Text[0]).Distinct()]);
    }

    /// <summary>The first token at or after a place.</summary>
    /// <param name="text">Where to look.</param>
    /// <param name="from">Where the search starts; white space before it is not taken.</param>
    /// <param name="match">What is found.</param>
    public bool TryFind(ReadOnlySpan<char> text, int from, out Match match)
    {
        match = default;
        int position = from;
        while (position < text.Length)
        {
            int ahead = text[position..].IndexOfAny(firstCharacters);
            if (ahead < 0) return false;
            position += ahead;
            int length = trie.Longest(text[position..], out int id);
            if (length == 0) position++;
            else if (!special.TryGetValue(id, out AddedToken token))
            {
                match = new Match(id, position, position + length);
                return true;
            }
            else if (token.WholeWord && (EndsWithWord(text[..position]) || StartsWithWord(text[(position + length)..]))) position += length;
            else
            {
                int start = position, end = position + length;
                if (token.TakesSpaceBefore)
                    while (start > from && char.IsWhiteSpace(text[start - 1])) start--;
                if (token.TakesSpaceAfter)
                    while (end < text.Length && char.IsWhiteSpace(text[end])) end++;
                match = new Match(id, start, end);
                return true;
            }
        }
        return false;
    }

    private static bool StartsWithWord(ReadOnlySpan<char> text) => !text.IsEmpty && Word.Match(text, 0) > 0;

    private static bool EndsWithWord(ReadOnlySpan<char> text) => !text.IsEmpty && Word.Match(text, text.Length - (text.Length > 1 && char.IsLowSurrogate(text[^1]) ? 2 : 1)) > 0;

    /// <summary>A token and the text that it takes.</summary>
    internal readonly record struct Match(int Id, int Start, int End);
}
