namespace Inference.Models.Templates;

/// <summary>Where the characters of a text come from, and whether it counts as HTML.</summary>
[Flags]
internal enum TextMark : byte
{
    /// <summary>All of it is the template's own.</summary>
    None = 0,

    /// <summary>A user supplied all of it.</summary>
    User = 1,

    /// <summary>A user supplied parts of it, which a <see cref="MarkedText"/> lists.</summary>
    Mixed = 2,

    /// <summary>Marked as safe HTML: adding plain text escapes that text, as Jinja does even where nothing else is escaped.</summary>
    Markup = 4,
}

/// <summary>Text of which a user supplied parts.</summary>
/// <param name="Text">All of it.</param>
/// <param name="UserRanges">Start and end of each part that is the user's, ascending, not touching, none empty.</param>
internal sealed record MarkedText(string Text, int[] UserRanges);

/// <content>Text with its marks.</content>
internal readonly partial struct Value
{
    /// <summary>Of a text.</summary>
    public string Text => (mark & TextMark.Mixed) != 0 ? ((MarkedText)reference!).Text : (string)reference!;

    public bool IsMarkup => (mark & TextMark.Markup) != 0;

    /// <summary>Whether a user supplied any character of this text.</summary>
    public bool HasUserText => (mark & (TextMark.User | TextMark.Mixed)) != 0;

    /// <summary>Parts that are the user's, as in <see cref="MarkedText"/>; empty for text that is wholly one or the other.</summary>
    public ReadOnlySpan<int> UserRanges => (mark & TextMark.Mixed) != 0 ? ((MarkedText)reference!).UserRanges : default;

    /// <summary>Text with marks.</summary>
    /// <param name="text">All of it.</param>
    /// <param name="ranges">As in <see cref="MarkedText"/>.</param>
    public static Value Of(string text, ReadOnlySpan<int> ranges) =>
        ranges.IsEmpty ? Of(text)
        : ranges is [0, var end] && end == text.Length ? OfUser(text)
        : new(ValueKind.Text, new MarkedText(text, ranges.ToArray()), 0, TextMark.Mixed);

    public Value AsMarkup() => new(Kind, reference, bits, mark | TextMark.Markup);

    public Value AsPlain() => new(Kind, reference, bits, mark & ~TextMark.Markup);

    /// <summary>Other text made from this one as a whole. The marks stay in place where the length did; else all of it counts as the user's if any was.</summary>
    public Value WithText(string text)
    {
        TextMark html = mark & TextMark.Markup;
        if (!HasUserText) return new(ValueKind.Text, text, 0, html);
        if ((mark & TextMark.Mixed) != 0 && text.Length == Text.Length) return new(ValueKind.Text, new MarkedText(text, ((MarkedText)reference!).UserRanges), 0, mark);
        return new(ValueKind.Text, text, 0, html | TextMark.User);
    }

    /// <summary>A part of a text, in UTF-16 units, with its marks.</summary>
    public Value Slice(int start, int length)
    {
        string text = Text;
        if (length == text.Length) return this;
        if ((mark & TextMark.Mixed) == 0) return new(ValueKind.Text, text.Substring(start, length), 0, mark);
        var ranges = new List<int>();
        int end = start + length;
        ReadOnlySpan<int> all = UserRanges;
        for (int i = 0; i < all.Length; i += 2)
        {
            int from = Math.Max(all[i], start), to = Math.Min(all[i + 1], end);
            if (from < to) ranges.AddRange([from - start, to - start]);
        }
        Value part = Of(text.Substring(start, length), [.. ranges]);
        return IsMarkup ? part.AsMarkup() : part;
    }
}
