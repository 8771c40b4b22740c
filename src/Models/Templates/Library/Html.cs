namespace Inference.Models.Templates;

/// <summary>Escaping of text for HTML: the filters <c>escape</c> and <c>safe</c>, and what joining safe with plain text does.</summary>
internal static class Html
{
    /// <summary>The text with <c>&amp; &lt; &gt; " '</c> escaped; markup stays as it is.</summary>
    public static Value Escape(RenderState state, Value value)
    {
        if (value.IsMarkup) return value;
        Value plain = ValuePrinter.Str(state, value);
        string text = plain.Text;
        TextBuilder builder = state.RentBuilder();
        int done = 0;
        for (int i = 0; i < text.Length; i++)
        {
            string? escape = text[i] switch { '&' => "&amp;", '<' => "&lt;", '>' => "&gt;", '"' => "&#34;", '\'' => "&#39;", _ => null };
            if (escape is null) continue;
            builder.Append(plain, done, i - done).AppendLike(plain, escape);
            done = i + 1;
        }
        builder.Append(plain, done, text.Length - done);
        return state.Finish(builder).AsMarkup();
    }

    /// <summary>The text without comments and tags, its white space folded, its character references resolved.</summary>
    public static Value StripTags(RenderState state, Value value)
    {
        string text = ValuePrinter.Str(state, value).Text;
        text = Cut(text, "<!--", "-->");
        text = Cut(text, "<", ">");
        text = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return ValuePrinter.Str(state, value).WithText(System.Net.WebUtility.HtmlDecode(text)).AsPlain();
    }

    private static string Cut(string text, string open, string close)
    {
        int at = text.IndexOf(open, StringComparison.Ordinal);
        if (at < 0) return text;
        var kept = new System.Text.StringBuilder();
        int done = 0;
        while (at >= 0 && text.IndexOf(close, at, StringComparison.Ordinal) is >= 0 and var end)
        {
            kept.Append(text, done, at - done);
            done = end + close.Length;
            at = text.IndexOf(open, done, StringComparison.Ordinal);
        }
        return kept.Append(text, done, text.Length - done).ToString();
    }
}
