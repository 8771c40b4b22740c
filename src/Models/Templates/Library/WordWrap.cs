using System.Text.RegularExpressions;

namespace Inference.Models.Templates;

/// <summary>The filter <c>wordwrap</c>: each line of a text is filled anew up to a width, as Python's <c>textwrap</c> does.</summary>
internal static partial class WordWrap
{
    public static Value Wrap(RenderState state, Value value, Value[] a)
    {
        if (!value.IsText) throw value.IsUndefined ? value.UndefinedError() : new TemplateException($"wordwrap needs a string, not a {value.TypeName}");
        int width = Sequences.Index(a[0], "width");
        if (width <= 0) throw new TemplateException("the width must be above 0");
        Value separator = a[2].IsNone ? Value.Of("\n") : a[2];
        IEnumerable<Value> lines = TextOperations.SplitLines(state, value, keepEnds: false).AsArray
            .Select(line => TextOperations.Join(state, separator, Lines(line, width, a[1].IsTrue, a[3].IsTrue), textOnly: true));
        return TextOperations.Join(state, separator, [.. lines], textOnly: true);
    }

    private static List<Value> Lines(Value text, int width, bool breakWords, bool breakHyphens)
    {
        Queue<(int Start, int Length)> chunks = Chunks(text.Text, breakHyphens);
        var lines = new List<Value>();
        (int Start, int Length) rest = default;
        while (rest.Length > 0 || chunks.Count > 0)
        {
            int start = -1, end = 0, used = 0;
            while (rest.Length > 0 || chunks.TryDequeue(out rest))
            {
                // White space begins the first line only.
                if (start < 0 && lines.Count > 0 && IsSpace(text.Text, rest))
                {
                    rest = default;
                    continue;
                }
                if (used + rest.Length > width) break;
                if (start < 0) start = rest.Start;
                used += rest.Length;
                end = rest.Start + rest.Length;
                rest = default;
            }
            if (rest.Length > width && (start < 0 || breakWords))
            {
                // A word that fits no line fills this one, or stands alone.
                int part = breakWords ? Math.Max(1, width - used) : rest.Length;
                if (start < 0 || breakWords)
                {
                    if (start < 0) start = rest.Start;
                    end = rest.Start + part;
                    rest = (rest.Start + part, rest.Length - part);
                }
            }
            if (start < 0) continue;
            while (end > start && CodePoints.IsSpace(text.Text[end - 1])) end--;
            if (end > start) lines.Add(text.Slice(start, end - start));
        }
        return lines;
    }

    private static bool IsSpace(string text, (int Start, int Length) chunk) => text.AsSpan(chunk.Start, chunk.Length).Trim().IsEmpty;

    /// <summary>Words and the white space between them; words with hyphens in parts.</summary>
    private static Queue<(int Start, int Length)> Chunks(string text, bool breakHyphens)
    {
        var chunks = new Queue<(int, int)>();
        foreach (Match match in (breakHyphens ? HyphenParts() : Words()).Matches(text)) chunks.Enqueue((match.Index, match.Length));
        return chunks;
    }

    [GeneratedRegex(@"\s+|\S+")]
    private static partial Regex Words();

    // A hyphen between letters ends a part; dashes of two or more stand alone.
    [GeneratedRegex(@"\s+|-{2,}(?=\w)|(?:[^\s-]|-(?!-)(?![^\W\d_]{2})|(?<![^\W\d_]{2})-(?!-)|-{2,}(?!\w))+(?:(?<=[^\W\d_]{2})-(?=[^\W\d_]{2}))?|\S")]
    private static partial Regex HyphenParts();
}
