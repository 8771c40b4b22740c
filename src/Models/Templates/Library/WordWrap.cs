namespace Inference.Models.Templates;

/// <summary>The filter <c>wordwrap</c>: each line of a text is filled anew up to a width in characters, as Python's <c>textwrap</c> does.</summary>
internal sealed class WordWrap(Value text, int width, bool breakWords, bool breakHyphens)
{
    public static Value Wrap(RenderState state, Value value, Value[] a)
    {
        if (!value.IsText) throw value.IsUndefined ? value.UndefinedError() : new TemplateException($"wordwrap needs a string, not a {value.TypeName}");
        Value separator = a[2].IsNone ? Value.Of("\n") : a[2];
        int width = Sequences.Index(a[0], "width");
        if (width <= 0) throw new TemplateException("the width must be above 0");
        Value[] lines = TextOperations.SplitLines(state, value, keepEnds: false).AsArray;
        return TextOperations.Join(state, separator, lines.Select(line =>
            TextOperations.Join(state, separator, new WordWrap(line, width, a[1].IsTrue, a[3].IsTrue).Lines(), textOnly: true)), textOnly: true);
    }

    private List<Value> Lines()
    {
        var chunks = new Stack<(int Start, int End)>(Chunks());
        var lines = new List<Value>();
        while (chunks.Count > 0)
        {
            var line = new List<(int Start, int End)>();
            int used = 0;
            if (lines.Count > 0 && IsSpace(chunks.Peek())) chunks.Pop();
            while (chunks.TryPeek(out (int, int) chunk) && used + Width(chunk) <= width)
            {
                line.Add(chunks.Pop());
                used += Width(chunk);
            }
            if (chunks.TryPeek(out (int, int) word) && Width(word) > width) BreakWord(chunks, line, width - used);
            // Only the last piece, which is empty where a word was to be broken at the line's end.
            if (line.Count > 0 && IsSpace(line[^1])) line.RemoveAt(line.Count - 1);
            if (line.Count > 0) lines.Add(text.Slice(line[0].Start, line[^1].End - line[0].Start));
        }
        return lines;
    }

    /// <summary>A word that fits no line: as much of it as fits, up to a hyphen if there is one; or all of it in a line of its own.</summary>
    private void BreakWord(Stack<(int Start, int End)> chunks, List<(int Start, int End)> line, int room)
    {
        (int start, int end) = chunks.Pop();
        if (!breakWords)
        {
            if (line.Count == 0) line.Add((start, end));
            else chunks.Push((start, end));
            return;
        }
        int cut = start + CodePoints.Offset(text.Text.AsSpan(start), room);
        ReadOnlySpan<char> fits = text.Text.AsSpan(start, cut - start);
        if (breakHyphens && fits.LastIndexOf('-') is > 0 and var hyphen && fits[..hyphen].ContainsAnyExcept('-')) cut = start + hyphen + 1;
        line.Add((start, cut));
        chunks.Push((cut, end));
    }

    private int Width((int Start, int End) chunk) => CodePoints.Count(text.Text.AsSpan(chunk.Start, chunk.End - chunk.Start));

    private bool IsSpace((int Start, int End) chunk) => text.Text.AsSpan(chunk.Start, chunk.End - chunk.Start).Trim().IsEmpty;

    /// <summary>Words, or their parts between hyphens, and the white space between them; the first comes last.</summary>
    private List<(int Start, int End)> Chunks()
    {
        var chunks = new List<(int, int)>();
        for (int start = 0, end; start < text.Text.Length; start = end)
        {
            end = start + 1;
            if (IsBlank(start)) while (IsBlank(end)) end++;
            else if (breakHyphens && DashBetweenWords(start) is > 0 and var dash) end = start + dash;
            else while (end < text.Text.Length && !IsBlank(end) && !(breakHyphens && EndsPart(start, end))) end++;
            chunks.Add((start, end));
        }
        chunks.Reverse();
        return chunks;
    }

    /// <summary>Whether a word may be broken before this position: behind a hyphen with letters about it, or before a dash.</summary>
    private bool EndsPart(int start, int at)
    {
        if (DashBetweenWords(at) > 0) return true;
        if (at - 1 <= start || Character(at - 1) != '-' || !IsLetter(at - 2)) return false;
        bool lettersBefore = IsLetter(at - 3) || (Character(at - 3) == '-' && IsLetter(at - 4));
        return lettersBefore && IsLetter(at) && (IsLetter(at + 1) || (Character(at + 1) == '-' && IsLetter(at + 2)));
    }

    /// <summary>How many hyphens, two or more, stand here between words without a space; 0 if they do not.</summary>
    private int DashBetweenWords(int at)
    {
        int end = at;
        while (Character(end) == '-') end++;
        bool afterWord = IsWord(at - 1) || "!\"'&.,?".Contains(Character(at - 1));
        return end - at >= 2 && afterWord && IsWord(end) ? end - at : 0;
    }

    private char Character(int at) => at >= 0 && at < text.Text.Length ? text.Text[at] : '\0';

    private bool IsBlank(int at) => Character(at) is (>= '\t' and <= '\r') or ' ';

    private bool IsLetter(int at) => char.IsLetter(Character(at)) || Character(at) == '_';

    private bool IsWord(int at) => IsLetter(at) || char.IsNumber(Character(at));
}
