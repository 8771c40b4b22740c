namespace Inference.Models;

/// <summary>Cuts text into the pieces that are encoded one by one. Immutable, safe for concurrent use.</summary>
internal abstract class PreTokenizer
{
    /// <param name="pieces">Each piece is cut further, on its own.</param>
    /// <param name="first">The text stands at the start of what is encoded.</param>
    public abstract void Split(PieceList pieces, bool first);
}

/// <summary>One after the other.</summary>
internal sealed class PreTokenizerSequence(PreTokenizer[] steps) : PreTokenizer
{
    public override void Split(PieceList pieces, bool first)
    {
        foreach (PreTokenizer step in steps) step.Split(pieces, first);
    }
}

/// <summary>What becomes of the matches of a pattern.</summary>
internal enum SplitBehavior
{
    /// <summary>Each match is a piece.</summary>
    Isolated,

    /// <summary>Matches are dropped.</summary>
    Removed,

    /// <summary>A match ends the piece before it.</summary>
    MergedWithPrevious,

    /// <summary>A match begins the piece after it.</summary>
    MergedWithNext,

    /// <summary>Neighbouring matches are one piece.</summary>
    Contiguous,
}

/// <summary>Cuts at the matches of a pattern. A piece is matched by itself: a look-ahead sees its end as the end of the text.</summary>
/// <param name="pattern">What is searched for.</param>
/// <param name="behavior">What becomes of a match.</param>
/// <param name="invert">The text between the matches counts as the matches.</param>
internal sealed class PatternSplit(TextPattern pattern, SplitBehavior behavior, bool invert = false) : PreTokenizer
{
    public override void Split(PieceList pieces, bool first)
    {
        ReadOnlySpan<char> text = pieces.Text.Span;
        foreach ((int start, int end) in pieces.Take())
        {
            if (behavior == SplitBehavior.Isolated) SplitIsolated(text, start, end, pieces);
            else SplitOtherwise(text, start, end, pieces);
        }
    }

    private void SplitIsolated(ReadOnlySpan<char> text, int start, int end, PieceList pieces)
    {
        int done = start;
        TextPattern.Matches matches = pattern.EnumerateMatches(text[start..end]);
        while (matches.MoveNext())
        {
            pieces.Add(done, start + matches.Start);
            pieces.Add(start + matches.Start, done = start + matches.End);
        }
        pieces.Add(done, end);
    }

    private void SplitOtherwise(ReadOnlySpan<char> text, int start, int end, PieceList pieces)
    {
        var writer = new Writer(pieces, behavior);
        int done = start;
        TextPattern.Matches matches = pattern.EnumerateMatches(text[start..end]);
        while (matches.MoveNext())
        {
            if (start + matches.Start > done) writer.Add(done, start + matches.Start, invert);
            writer.Add(start + matches.Start, done = start + matches.End, !invert);
        }
        if (end > done) writer.Add(done, end, invert);
        writer.Finish();
    }

    /// <summary>Joins stretches of one piece as the behaviour says.</summary>
    private struct Writer(PieceList pieces, SplitBehavior behavior)
    {
        private bool open;
        private bool openIsMatch;
        private int openStart;
        private int openEnd;

        public void Add(int start, int end, bool isMatch)
        {
            bool join = open && behavior switch
            {
                SplitBehavior.MergedWithPrevious => isMatch && !openIsMatch,
                SplitBehavior.MergedWithNext => !isMatch && openIsMatch,
                SplitBehavior.Contiguous => isMatch == openIsMatch,
                _ => false,
            };
            if (!join)
            {
                Finish();
                openStart = start;
            }
            (open, openEnd) = (true, end);
            openIsMatch = isMatch;
        }

        public void Finish()
        {
            if (open && !(behavior == SplitBehavior.Removed && openIsMatch)) pieces.Add(openStart, openEnd);
            open = false;
        }
    }
}
