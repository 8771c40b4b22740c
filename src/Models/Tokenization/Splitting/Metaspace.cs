namespace Inference.Models;

/// <summary>Where a space is put before the text.</summary>
internal enum PrependScheme
{
    Never,

    /// <summary>At the start of what is encoded.</summary>
    First,

    /// <summary>Before every stretch between special tokens.</summary>
    Always,
}

/// <summary>Writes spaces as a visible character, puts one in front where there is none, and cuts before each.</summary>
internal sealed class Metaspace(char replacement, PrependScheme scheme, bool split) : PreTokenizer
{
    public override void Split(PieceList pieces, bool first)
    {
        ReadOnlySpan<char> source = pieces.Text.Span;
        ReadOnlySpan<(int Start, int End)> before = pieces.Pieces;
        char[] text = new char[source.Length + before.Length];
        int length = 0;
        pieces.Take(text);
        foreach ((int start, int end) in before)
        {
            int begin = length;
            bool prepends = scheme == PrependScheme.Always || (scheme == PrependScheme.First && first && start == 0);
            if (prepends && source[start] != ' ' && source[start] != replacement) text[length++] = replacement;
            source[start..end].Replace(text.AsSpan(length), ' ', replacement);
            length += end - start;
            if (split) AddWords(text.AsSpan(0, length), begin, pieces);
            else pieces.Add(begin, length);
        }
    }

    private void AddWords(ReadOnlySpan<char> text, int begin, PieceList pieces)
    {
        while (begin < text.Length)
        {
            int next = text[(begin + 1)..].IndexOf(replacement);
            int end = next < 0 ? text.Length : begin + 1 + next;
            pieces.Add(begin, end);
            begin = end;
        }
    }
}

/// <summary>Puts a space before each piece that does not start with one.</summary>
internal sealed class SpacePrefix : PreTokenizer
{
    public override void Split(PieceList pieces, bool first)
    {
        ReadOnlySpan<char> source = pieces.Text.Span;
        ReadOnlySpan<(int Start, int End)> before = pieces.Pieces;
        char[] text = new char[source.Length + before.Length];
        int length = 0;
        pieces.Take(text);
        foreach ((int start, int end) in before)
        {
            int begin = length;
            if (source[start] != ' ') text[length++] = ' ';
            source[start..end].CopyTo(text.AsSpan(length));
            length += end - start;
            pieces.Add(begin, length);
        }
    }
}
