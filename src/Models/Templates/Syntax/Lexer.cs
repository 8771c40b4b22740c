namespace Inference.Models.Templates;

/// <summary>
/// Cuts a template into tokens. White space goes as Hugging Face sets Jinja up: the newline behind a tag is dropped (<c>trim_blocks</c>), spaces before a tag
/// that begins its line too (<c>lstrip_blocks</c>), one newline at the very end, and <c>-</c> or <c>+</c> inside a tag override that.
/// </summary>
internal sealed partial class Lexer
{
    private readonly string source;
    private readonly List<Token> tokens = [];
    private int at;
    private int line = 1;

    private Lexer(string source) => this.source = source;

    /// <exception cref="TemplateException">A tag, comment or string is not closed, or a character has no meaning.</exception>
    public static List<Token> Tokenize(string template)
    {
        string source = template.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        var lexer = new Lexer(source.EndsWith('\n') ? source[..^1] : source);
        lexer.ReadData();
        lexer.Add(TokenKind.End, "");
        return lexer.tokens;
    }

    private void ReadData()
    {
        while (at < source.Length)
        {
            int tag = at;
            while ((tag = source.IndexOf('{', tag)) >= 0 && (tag + 1 == source.Length || source[tag + 1] is not ('{' or '%' or '#'))) tag++;
            if (tag < 0)
            {
                AddData(at, source.Length);
                at = source.Length;
                return;
            }
            char kind = source[tag + 1];
            char sign = tag + 2 < source.Length && source[tag + 2] is '-' or '+' ? source[tag + 2] : '\0';
            AddData(at, TrimBefore(tag, kind, sign));
            MoveTo(tag + (sign == '\0' ? 2 : 3));
            if (kind == '#') SkipComment();
            else if (kind == '{') ReadExpression(TokenKind.OutputBegin);
            else if (TryReadRawTag(tag, "raw", out int rawBegins, out _)) ReadRaw(rawBegins);
            else ReadExpression(TokenKind.TagBegin);
        }
    }

    /// <summary>Where the text before a tag ends once white space is trimmed.</summary>
    private int TrimBefore(int tag, char kind, char sign)
    {
        int end = tag;
        if (sign == '-')
        {
            while (end > at && CodePoints.IsSpace(source[end - 1])) end--;
            return end;
        }
        if (sign == '+' || kind == '{') return end;
        while (end > at && source[end - 1] != '\n' && CodePoints.IsSpace(source[end - 1])) end--;
        // Only if nothing but white space stands before the tag in its line.
        return end == 0 || source[end - 1] == '\n' ? end : tag;
    }

    private void SkipComment()
    {
        int end = source.IndexOf("#}", at, StringComparison.Ordinal);
        // Jinja too overlooks one that begins at the very end.
        if (at == source.Length) return;
        if (end < 0) throw new TemplateException("a comment is not closed", line);
        MovePastTag(end + 2, end > at ? source[end - 1] : '\0', trimsNewline: true);
    }

    /// <summary>Reads text that is taken as it is, up to <c>endraw</c>.</summary>
    private void ReadRaw(int start)
    {
        MoveTo(source[start - 3] == '-' ? SkipSpace(start) : start);
        for (int tag = at; (tag = source.IndexOf("{%", tag, StringComparison.Ordinal)) >= 0; tag++)
        {
            if (!TryReadRawTag(tag, "endraw", out int end, out char sign)) continue;
            AddData(at, TrimBefore(tag, '%', sign));
            MovePastTag(end, source[end - 3], trimsNewline: true);
            return;
        }
        // As with comments: at the very end there is nothing left to close.
        if (at < source.Length) throw new TemplateException("a raw block is not closed", line);
    }

    /// <summary>Whether a tag of that name, and nothing else in it, stands here.</summary>
    /// <param name="tag">Where it begins.</param>
    /// <param name="name">What it is called.</param>
    /// <param name="end">Where the text behind it begins.</param>
    /// <param name="sign">What follows the opening brace and percent sign, if it is a sign.</param>
    private bool TryReadRawTag(int tag, string name, out int end, out char sign)
    {
        end = tag + 2;
        sign = end < source.Length && source[end] is '-' or '+' ? source[end] : '\0';
        end = SkipSpace(sign == '\0' ? end : end + 1);
        if (!source.AsSpan(end).StartsWith(name)) return false;
        end = SkipSpace(end + name.Length);
        if (end < source.Length && (source[end] == '-' || (source[end] == '+' && name == "endraw"))) end++;
        if (!source.AsSpan(end).StartsWith("%}")) return false;
        end += 2;
        return true;
    }

    /// <summary>Reads to the end of a tag.</summary>
    private void ReadExpression(TokenKind begin)
    {
        Add(begin, "");
        var brackets = new Stack<string>();
        while (true)
        {
            MoveTo(SkipSpace(at));
            if (at == source.Length) throw new TemplateException("a tag is not closed", line);
            // Inside brackets "}}" may be the end of two dictionaries.
            if (brackets.Count == 0 && TryReadEnd(begin)) return;
            if (TryReadLiteral()) continue;
            ReadOperator(brackets);
        }
    }

    private bool TryReadEnd(TokenKind begin)
    {
        bool output = begin == TokenKind.OutputBegin;
        ReadOnlySpan<char> rest = source.AsSpan(at);
        int sign = rest[0] == '-' || (rest[0] == '+' && !output) ? 1 : 0;
        if (!rest[sign..].StartsWith(output ? "}}" : "%}")) return false;
        Add(output ? TokenKind.OutputEnd : TokenKind.TagEnd, "");
        MovePastTag(at + sign + 2, sign == 1 ? rest[0] : '\0', trimsNewline: !output);
        return true;
    }

    private void ReadOperator(Stack<string> brackets)
    {
        string two = at + 1 < source.Length ? source.Substring(at, 2) : "";
        string text = two is "//" or "**" or "==" or "!=" or ">=" or "<=" ? two : source[at].ToString();
        if (text.Length == 1 && !"+-/*%~[](){}><=.:|,;".Contains(text[0])) throw new TemplateException($"'{text}' has no meaning here", line);
        if (text is "(" or "[" or "{") brackets.Push(text == "(" ? ")" : text == "[" ? "]" : "}");
        else if (text is ")" or "]" or "}" && (!brackets.TryPop(out string? expected) || expected != text)) throw new TemplateException($"'{text}' closes nothing that is open", line);
        Add(TokenKind.Operator, text);
        at += text.Length;
    }

    private void Add(TokenKind kind, string text) => tokens.Add(new Token(kind, text, line));

    private void AddData(int start, int end)
    {
        if (end > start) Add(TokenKind.Data, source[start..end]);
    }

    /// <summary>Goes on behind a tag: past all white space after <c>-</c>, past one newline unless <c>+</c>.</summary>
    private void MovePastTag(int end, char sign, bool trimsNewline)
    {
        if (sign == '-') end = SkipSpace(end);
        else if (sign != '+' && trimsNewline && end < source.Length && source[end] == '\n') end++;
        MoveTo(end);
    }

    private int SkipSpace(int from)
    {
        while (from < source.Length && CodePoints.IsSpace(source[from])) from++;
        return from;
    }

    private void MoveTo(int position)
    {
        line += source.AsSpan(at, position - at).Count('\n');
        at = position;
    }
}
