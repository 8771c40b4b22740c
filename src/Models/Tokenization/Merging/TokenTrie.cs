namespace Inference.Models;

/// <summary>Finds the tokens that a text starts with.</summary>
internal sealed class TokenTrie
{
    private const int None = -1, Root = 0;
    private readonly PairMap steps;
    private int nodes = 1;

    /// <param name="characters">About how many characters all tokens have together.</param>
    public TokenTrie(int characters) => steps = new PairMap(characters);

    /// <summary>Adds a token; of equals, the first counts.</summary>
    public void Add(ReadOnlySpan<char> token, int id)
    {
        int node = Root;
        for (int i = 0; i < token.Length; i++)
        {
            bool known = steps.TryGet(node, token[i], out int child, out int ended);
            if (!known) steps.TryAdd(node, token[i], child = nodes++, ended = None);
            if (i == token.Length - 1 && ended == None) steps.SetSecond(node, token[i], id);
            node = child;
        }
    }

    /// <summary>The longest token that the text starts with.</summary>
    /// <param name="text">Where to look.</param>
    /// <param name="id">The token.</param>
    /// <returns>Its characters; 0 when there is none.</returns>
    public int Longest(ReadOnlySpan<char> text, out int id)
    {
        int node = Root, length = 0;
        id = None;
        for (int i = 0; i < text.Length && steps.TryGet(node, text[i], out node, out int ended); i++)
            if (ended != None) (length, id) = (i + 1, ended);
        return length;
    }

    /// <summary>All tokens that the text starts with, the shortest first.</summary>
    public Prefixes EnumeratePrefixes(ReadOnlySpan<char> text) => new(steps, text);

    /// <summary>Steps from prefix to prefix.</summary>
    internal ref struct Prefixes(PairMap steps, ReadOnlySpan<char> text)
    {
        private readonly ReadOnlySpan<char> text = text;
        private int node = Root;

        /// <summary>Characters of the token.</summary>
        public int Length { get; private set; }

        public int Id { get; private set; }

        public bool MoveNext()
        {
            while (Length < text.Length && steps.TryGet(node, text[Length], out node, out int ended))
            {
                Length++;
                if (ended == None) continue;
                Id = ended;
                return true;
            }
            return false;
        }
    }
}
