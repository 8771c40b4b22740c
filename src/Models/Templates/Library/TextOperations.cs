namespace Inference.Models.Templates;

/// <summary>Operations on text that methods and filters share. Each keeps the marks of what it cuts and joins.</summary>
internal static class TextOperations
{
    /// <summary>Without the white space, or the given characters, at its ends.</summary>
    public static Value Strip(Value value, Value characters, bool left = true, bool right = true)
    {
        string text = value.Text;
        string? set = characters.IsNone ? null : TextArgument(characters, "the characters to strip");
        int start = 0, end = text.Length;
        while (left && start < end && IsIn(set, text.AsSpan(start), out int width)) start += width;
        while (right && start < end && IsIn(set, text.AsSpan(LastCharacter(text, end), end - LastCharacter(text, end)), out int width)) end -= width;
        return value.Slice(start, end - start);
    }

    public static Value Replace(RenderState state, Value value, Value old, Value replacement, long count)
    {
        string text = value.Text, wanted = old.Text;
        if (count == 0) return value;
        if (count < 0) count = long.MaxValue;
        int at = wanted.Length == 0 ? 0 : text.IndexOf(wanted, StringComparison.Ordinal);
        if (at < 0) return value;
        TextBuilder builder = state.RentBuilder();
        int done = 0;
        for (; count > 0 && at >= 0 && at <= text.Length; count--)
        {
            builder.Append(value, done, at - done).Append(replacement);
            done = at + wanted.Length;
            // Nothing is found before every character and at the end.
            if (wanted.Length == 0) at = at < text.Length ? at + CodePoints.Width(text, at) : -1;
            else at = text.IndexOf(wanted, done, StringComparison.Ordinal);
        }
        builder.Append(value, done, text.Length - done);
        return state.Finish(builder);
    }

    /// <summary>The parts between separators.</summary>
    /// <param name="state">The render.</param>
    /// <param name="value">The text.</param>
    /// <param name="separator">None for runs of white space, where empty parts do not count.</param>
    /// <param name="limit">Most splits; negative for no limit.</param>
    /// <param name="fromEnd">Which splits a limit keeps.</param>
    public static Value Split(RenderState state, Value value, Value separator, long limit, bool fromEnd)
    {
        if (limit < 0) limit = long.MaxValue;
        string text = value.Text;
        List<(int Start, int End)> parts = separator.IsNone ? Words(text) : Parts(text, TextArgument(separator, "the separator"), fromEnd);
        if (parts.Count > limit)
        {
            // What is left over keeps the white space at its far end, as in Python.
            int keep = (int)limit;
            if (fromEnd) parts = [(0, parts[^(keep + 1)].End), .. parts[^keep..]];
            else parts = [.. parts[..keep], (parts[keep].Start, text.Length)];
        }
        state.Budget.ChargeItems(parts.Count);
        return Value.List([.. parts.Select(part => value.Slice(part.Start, part.End - part.Start))]);
    }

    public static Value SplitLines(RenderState state, Value value, bool keepEnds)
    {
        var lines = new List<Value>();
        string text = value.Text;
        for (int start = 0, end; start < text.Length;)
        {
            end = text.AsSpan(start).IndexOfAny(LineEnds) is >= 0 and var found ? start + found : text.Length;
            int next = end == text.Length ? end : end + (text[end] == '\r' && end + 1 < text.Length && text[end + 1] == '\n' ? 2 : 1);
            lines.Add(value.Slice(start, (keepEnds ? next : end) - start));
            start = next;
        }
        state.Budget.ChargeItems(lines.Count);
        return Value.List([.. lines]);
    }

    /// <summary>The items with a separator between them; each as <c>str</c>.</summary>
    public static Value Join(RenderState state, Value separator, IEnumerable<Value> items, bool textOnly)
    {
        TextBuilder builder = state.RentBuilder();
        bool first = true;
        foreach (Value item in items)
        {
            state.Budget.ChargeItems();
            if (textOnly && !item.IsText) throw new TemplateException($"join needs strings, not a {item.TypeName}");
            if (!first) builder.Append(separator);
            ValuePrinter.Str(builder, item);
            first = false;
        }
        return state.Finish(builder);
    }

    /// <summary>Filled up to a width in characters.</summary>
    /// <param name="state">The render.</param>
    /// <param name="value">The text.</param>
    /// <param name="width">Least width.</param>
    /// <param name="fill">One character.</param>
    /// <param name="left">How much of a missing width goes to the left.</param>
    public static Value Pad(RenderState state, Value value, Value width, Value fill, Func<int, int> left)
    {
        int missing = Sequences.Index(width, "a width") - CodePoints.Count(value.Text);
        if (missing <= 0) return value;
        if (CodePoints.Count(TextArgument(fill, "the fill character")) != 1) throw new TemplateException("the fill character is not one character");
        TextBuilder builder = state.RentBuilder();
        int before = left(missing);
        for (int i = 0; i < before; i++) builder.Append(fill);
        builder.Append(value);
        for (int i = before; i < missing; i++) builder.Append(fill);
        return state.Finish(builder);
    }

    public static string TextArgument(Value value, string what) => value.IsText ? value.Text : throw (value.IsUndefined ? value.UndefinedError() : new TemplateException($"{what} must be a string, not a {value.TypeName}"));

    /// <summary>What Python takes for the end of a line.</summary>
    private static readonly System.Buffers.SearchValues<char> LineEnds = System.Buffers.SearchValues.Create("\n\r\v\f\u001C\u001D\u001E\u0085\u2028\u2029");

    private static List<(int Start, int End)> Parts(string text, string separator, bool fromEnd)
    {
        if (separator.Length == 0) throw new TemplateException("the separator is empty");
        var parts = new List<(int, int)>();
        int start = 0, end = text.Length;
        if (fromEnd)
        {
            // From the end, since separators may overlap.
            for (int at; (at = text.AsSpan(0, end).LastIndexOf(separator)) >= 0; end = at) parts.Add((at + separator.Length, end));
            parts.Add((0, end));
            parts.Reverse();
            return parts;
        }
        for (int at; (at = text.IndexOf(separator, start, StringComparison.Ordinal)) >= 0; start = at + separator.Length) parts.Add((start, at));
        parts.Add((start, end));
        return parts;
    }

    private static List<(int Start, int End)> Words(string text)
    {
        var words = new List<(int, int)>();
        for (int i = 0; i < text.Length;)
        {
            int start = i;
            while (i < text.Length && !CodePoints.IsSpace(text[i])) i++;
            if (i > start) words.Add((start, i));
            while (i < text.Length && CodePoints.IsSpace(text[i])) i++;
        }
        return words;
    }

    private static int LastCharacter(string text, int end) => end >= 2 && char.IsSurrogatePair(text[end - 2], text[end - 1]) ? end - 2 : end - 1;

    private static bool IsIn(string? set, ReadOnlySpan<char> text, out int width)
    {
        width = CodePoints.Width(text, 0);
        return set is null ? CodePoints.IsSpace(text[0]) : set.AsSpan().Contains(text[..width], StringComparison.Ordinal);
    }
}
