using System.Globalization;
using System.Numerics;

namespace Inference.Models.Templates;

/// <content>Strings, numbers and names.</content>
internal sealed partial class Lexer
{
    private bool TryReadLiteral()
    {
        char first = source[at];
        if (first is '"' or '\'') ReadString(first);
        else if (char.IsAsciiDigit(first)) ReadNumber();
        else if (IsNamePart(first, isFirst: true)) ReadName();
        else return false;
        return true;
    }

    private void ReadString(char quote)
    {
        int end = at + 1;
        while (end < source.Length && source[end] != quote) end += source[end] == '\\' ? 2 : 1;
        if (end >= source.Length) throw new TemplateException("a string is not closed", line);
        Add(TokenKind.Text, StringLiteral.Unescape(source[(at + 1)..end], line));
        MoveTo(end + 1);
    }

    private void ReadName()
    {
        int end = at + 1;
        while (end < source.Length && IsNamePart(source[end], isFirst: false)) end++;
        Add(TokenKind.Name, source[at..end]);
        at = end;
    }

    /// <summary>An integer in base 10, 16, 8 or 2, or a number with a fraction or an exponent. Single underscores may stand between digits.</summary>
    private void ReadNumber()
    {
        bool isFloat = false;
        int end = SkipPrefixed();
        if (end == at)
        {
            end = SkipDigits(at, char.IsAsciiDigit);
            // In x.0.1 the digits are two positions, not a fraction.
            int behind = at > 0 && source[at - 1] == '.' ? end : SkipFractionAndExponent(end);
            isFloat = behind > end;
            // Python has no integers with leading zeros.
            if (!isFloat && source[at] == '0') end = SkipDigits(at, digit => digit == '0');
            else end = behind;
        }
        string text = source[at..end], digits = text.Replace("_", "", StringComparison.Ordinal);
        Value value = isFloat ? Value.Of(double.Parse(digits, NumberStyles.Float, CultureInfo.InvariantCulture))
            : NumberText.TryParseInteger(digits, 0, out BigInteger whole) ? Value.Of(whole)
            : throw new TemplateException("a number is too long", line);
        tokens.Add(new Token(TokenKind.Number, text, line, value));
        at = end;
    }

    /// <summary>The end of a number such as <c>0x1F</c>; where it starts if it is none.</summary>
    private int SkipPrefixed()
    {
        if (source[at] != '0' || at + 1 == source.Length) return at;
        Func<char, bool>? isDigit = (source[at + 1] | 0x20) switch
        {
            'x' => char.IsAsciiHexDigit,
            'o' => digit => digit is >= '0' and <= '7',
            'b' => digit => digit is '0' or '1',
            _ => null,
        };
        if (isDigit is null) return at;
        int start = at + 2, end = SkipDigits(start < source.Length && source[start] == '_' ? start + 1 : start, isDigit);
        return end > start && isDigit(source[end - 1]) ? end : at;
    }

    private int SkipFractionAndExponent(int end)
    {
        if (end + 1 < source.Length && source[end] == '.' && char.IsAsciiDigit(source[end + 1])) end = SkipDigits(end + 1, char.IsAsciiDigit);
        if (end == source.Length || source[end] is not ('e' or 'E')) return end;
        int digits = end + 1 < source.Length && source[end + 1] is '+' or '-' ? end + 2 : end + 1;
        return digits < source.Length && char.IsAsciiDigit(source[digits]) ? SkipDigits(digits, char.IsAsciiDigit) : end;
    }

    private int SkipDigits(int from, Func<char, bool> isDigit)
    {
        while (from < source.Length && (isDigit(source[from]) || (source[from] == '_' && from + 1 < source.Length && isDigit(source[from + 1]) && isDigit(source[from - 1])))) from++;
        return from;
    }

    private static bool IsNamePart(char character, bool isFirst)
    {
        if (char.IsAscii(character)) return char.IsAsciiLetter(character) || character == '_' || (!isFirst && char.IsAsciiDigit(character));
        UnicodeCategory category = char.GetUnicodeCategory(character);
        return category is <= UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber
            || (!isFirst && category is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.ConnectorPunctuation);
    }
}
