using System.Buffers;
using Inference.Models.Templates;

namespace Inference.Models;

/// <summary>Finds added tokens in a text: leftmost, then longest.</summary>
internal sealed class AddedTokens
{
    private static readonly CharacterSet Word = new(CharacterClass.WordOfRust);

    private readonly TokenTrie trie;
    private readonly SearchValues<char> firstCharacters;
    private readonly Dictionary<int, AddedToken> demanding = [];

    /// <param name="tokens">Of equal spellings, the first counts.</param>
    public AddedTokens(IReadOnlyCollection<AddedToken> tokens)
    {
        trie = new TokenTrie(tokens.Sum(token => token.Text.Length));
        foreach (AddedToken token in tokens)
        {
            trie.Add(token.Text, token.Id);
            if (token.TakesSpaceBefore || token.TakesSpaceAfter || token.WholeWord) demanding.TryAdd(token.Id, token);
        }
        firstCharacters = SearchValues.Create([.. tokens.Select(token => token.Text[0]).Distinct()]);
    }

    /// <summary>The first token at or after a place.</summary>
    /// <param name="text">Where to look.</param>
    /// <param name="from">Where the search starts: the <see cref="Match.Resume"/> of the match before.</param>
    /// <param name="done">Up to where the text is taken: the <see cref="Match.End"/> of the match before.</param>
    /// <param name="match">What is found.</param>
    /// <param name="user">Which parts of the text are a user's and cannot spell markup; default none.</param>
    /// <param name="definition">Tells markup from text.</param>
    public bool TryFind(ReadOnlySpan<char> text, int from, int done, out Match match, UserText user = default, TokenizerDefinition? definition = null)
    {
        match = default;
        int position = from;
        while (position < text.Length)
        {
            int ahead = text[position..].IndexOfAny(firstCharacters);
            if (ahead < 0) return false;
            position += ahead;
            int length = user.IsEmpty ? trie.Longest(text[position..], out int id) : LongestAllowed(text, position, user, definition!, out id);
            if (length == 0)
            {
                position++;
                continue;
            }
            int start = position, end = position + length;
            if (demanding.TryGetValue(id, out AddedToken token))
            {
                if (token.WholeWord && (EndsWithWord(text[..start]) || StartsWithWord(text[end..])))
                {
                    position = end;
                    continue;
                }
                while (token.TakesSpaceBefore && start > done && char.IsWhiteSpace(text[start - 1])) start--;
                while (token.TakesSpaceAfter && end < text.Length && char.IsWhiteSpace(text[end])) end++;
            }
            match = new Match(id, start, end, position + length);
            return true;
        }
        return false;
    }

    private int LongestAllowed(ReadOnlySpan<char> text, int position, UserText user, TokenizerDefinition definition, out int id)
    {
        int length = 0;
        id = 0;
        TokenTrie.Prefixes prefixes = trie.EnumeratePrefixes(text[position..]);
        while (prefixes.MoveNext())
            if (user.Allows(definition, prefixes.Id, position, position + prefixes.Length)) (length, id) = (prefixes.Length, prefixes.Id);
        return length;
    }

    private static bool StartsWithWord(ReadOnlySpan<char> text) => !text.IsEmpty && Word.Match(text, 0) > 0;

    private static bool EndsWithWord(ReadOnlySpan<char> text) => !text.IsEmpty && Word.Match(text, text.Length - (text.Length > 1 && char.IsLowSurrogate(text[^1]) ? 2 : 1)) > 0;

    /// <summary>A token and the text that it takes.</summary>
    /// <param name="Id">The token.</param>
    /// <param name="Start">Where the text starts.</param>
    /// <param name="End">Where it ends.</param>
    /// <param name="Resume">Where the next token may start: before the white space that this one takes, so that a token of white space is still found there.</param>
    internal readonly record struct Match(int Id, int Start, int End, int Resume);
}
