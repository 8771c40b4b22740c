namespace Inference.Models;

/// <summary>
/// A regular expression over code points, as tokenizers use them. .NET's works on UTF-16 units and its syntax differs from the one these patterns are
/// written in. Immutable, safe for concurrent use; nothing is allocated by a match.
/// </summary>
internal sealed class TextPattern
{
    // Patterns in use take about 10 steps per character. What takes far more has no end in sight.
    private const long StepsPerCharacter = 1000, FreeSteps = 1_000_000;

    private readonly PatternNode start;

    private TextPattern(PatternNode start) => this.start = start;

    /// <exception cref="FormatException">The pattern is malformed or uses what is not supported.</exception>
    public static TextPattern Parse(string pattern) => new(PatternParser.Parse(pattern).Compile(new PatternCompiler(), AcceptNode.Instance));

    /// <summary>A pattern that matches this text.</summary>
    public static TextPattern Literal(string text) => new(new LiteralNode(text, AcceptNode.Instance));

    /// <summary>Runs of word characters of Rust's regular expressions, and runs of others that are no white space.</summary>
    public static TextPattern WordsAndSymbols()
    {
        CharacterClass word = CharacterClass.WordOfRust, symbol = new(0, [], [word, CharacterClass.Space], Negated: true);
        var either = new ChoiceSyntax([new RepeatSyntax(new SetSyntax(word), 1, int.MaxValue, Greed.Greedy), new RepeatSyntax(new SetSyntax(symbol), 1, int.MaxValue, Greed.Greedy)]);
        return new TextPattern(either.Compile(new PatternCompiler(), AcceptNode.Instance));
    }

    /// <summary>The matches in a text, in order. An empty one counts, unless the match before ends there.</summary>
    public Matches EnumerateMatches(ReadOnlySpan<char> text) => new(start, text);

    /// <summary>Steps from match to match.</summary>
    internal ref struct Matches(PatternNode start, ReadOnlySpan<char> text)
    {
        private PatternScan scan = new(text, FreeSteps + StepsPerCharacter * text.Length);
        private int next;
        private int lastEnd = -1;

        /// <summary>Where the match starts.</summary>
        public int Start { get; private set; }

        /// <summary>Where it ends.</summary>
        public int End { get; private set; }

        /// <exception cref="PatternBudgetException">The pattern does not match in linear time.</exception>
        public bool MoveNext()
        {
            for (; next <= scan.Text.Length; next++)
            {
                int end = start.Match(ref scan, next);
                if (end > next || (end == next && end != lastEnd))
                {
                    Start = next;
                    next = lastEnd = End = end;
                    return true;
                }
                if (next + 1 < scan.Text.Length && char.IsHighSurrogate(scan.Text[next])) next++;
            }
            return false;
        }
    }
}
