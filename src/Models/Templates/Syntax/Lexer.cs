using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;

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
        string source = template.ReplaceLineEndings("\n") is var unified && unified.AsSpan().ContainsAny("\f\u0085\u2028\u2029") ? Newlines().Replace(template, "\n") : unified;
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
            else if (RawBegin().Match(source, tag) is { Success: true } raw) ReadRaw(raw);
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

    private void ReadRaw(Match begin)
    {
        int start = begin.Index + begin.Length;
        if (begin.Value.EndsWith("-%}", StringComparison.Ordinal)) start = SkipSpace(start);
        MoveTo(start);
        Match end = RawEnd().Match(source, at);
        if (!end.Success) throw new TemplateException("a raw block is not closed", line);
        char sign = end.Groups[1].Length > 0 ? end.Groups[1].Value[0] : '\0';
        AddData(at, TrimBefore(end.Index, '%', sign));
        MovePastTag(end.Index + end.Length, end.Value[^3], trimsNewline: true);
    }

    /// <summary>Reads to the end of a tag.</summary>
    private void ReadExpression(TokenKind begin)
    {
        Add(begin, "");
        var brackets = new Stack<char>();
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

    private bool TryReadLiteral()
    {
        char first = source[at];
        if (first is '"' or '\'')
        {
            Match text = Strings().Match(source, at);
            if (!text.Success) throw new TemplateException("a string is not closed", line);
            Add(TokenKind.Text, StringLiteral.Unescape(text.Value[1..^1], line));
            MoveTo(at + text.Length);
        }
        else if (char.IsAsciiDigit(first))
        {
            // In x.0.1 the digits are two positions, not a fraction.
            Match number = at > 0 && source[at - 1] == '.' ? Match.Empty : Floats().Match(source, at);
            Value value;
            if (number.Success) value = Value.Of(double.Parse(Digits(number), NumberStyles.Float, CultureInfo.InvariantCulture));
            else if ((number = Integers().Match(source, at)).Success && NumberText.TryParseInteger(Digits(number), 0, out BigInteger whole)) value = Value.Of(whole);
            else throw new TemplateException("a number is too long", line);
            tokens.Add(new Token(TokenKind.Number, number.Value, line, value));
            at += number.Length;
        }
        else if (Names().Match(source, at) is { Success: true } name)
        {
            Add(TokenKind.Name, name.Value);
            at += name.Length;
        }
        else
        {
            return false;
        }
        return true;
    }

    private void ReadOperator(Stack<char> brackets)
    {
        string two = at + 1 < source.Length ? source.Substring(at, 2) : "";
        string text = two is "//" or "**" or "==" or "!=" or ">=" or "<=" ? two : source[at].ToString();
        if (text.Length == 1 && !"+-/*%~[](){}><=.:|,;".Contains(text[0])) throw new TemplateException($"'{text}' has no meaning here", line);
        if (text is "(" or "[" or "{") brackets.Push(text == "(" ? ')' : text == "[" ? ']' : '}');
        else if (text is ")" or "]" or "}" && (!brackets.TryPop(out char expected) || expected != text[0])) throw new TemplateException($"'{text}' closes nothing that is open", line);
        Add(TokenKind.Operator, text);
        at += text.Length;
    }

    private static string Digits(Match number) => number.Value.Replace("_", "", StringComparison.Ordinal);

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

    [GeneratedRegex(@"\r\n|\r|\n")]
    private static partial Regex Newlines();

    [GeneratedRegex(@"\G\{%[-+]?\s*raw\s*-?%\}")]
    private static partial Regex RawBegin();

    [GeneratedRegex(@"\{%([-+]?)\s*endraw\s*[-+]?%\}")]
    private static partial Regex RawEnd();

    [GeneratedRegex(@"\G(?:'[^'\\]*(?:\\.[^'\\]*)*'|""[^""\\]*(?:\\.[^""\\]*)*"")", RegexOptions.Singleline)]
    private static partial Regex Strings();

    [GeneratedRegex(@"\G(?:[0-9]+_)*[0-9]+(?:(?:\.(?:[0-9]+_)*[0-9]+)?e[+-]?(?:[0-9]+_)*[0-9]+|\.(?:[0-9]+_)*[0-9]+)", RegexOptions.IgnoreCase)]
    private static partial Regex Floats();

    [GeneratedRegex(@"\G(?:0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[0-9a-f])+|[1-9](?:_?[0-9])*|0(?:_?0)*)", RegexOptions.IgnoreCase)]
    private static partial Regex Integers();

    [GeneratedRegex(@"\G[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]*")]
    private static partial Regex Names();
}
