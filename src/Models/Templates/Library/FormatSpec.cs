using System.Globalization;
using System.Numerics;

namespace Inference.Models.Templates;

/// <summary>How one value is to be formatted: the part behind the colon of <c>{:&gt;8.2f}</c>, and what <c>%8.2f</c> says with other signs.</summary>
internal readonly record struct FormatSpec
{
    /// <summary>One character, in two units if need be.</summary>
    public string Fill { get; init; }

    /// <summary><c>&lt; &gt; ^ =</c>, or 0 for the side that the type prefers.</summary>
    public char Align { get; init; }

    /// <summary><c>+</c>, a space, or <c>-</c> for negative numbers only.</summary>
    public char Sign { get; init; }

    public bool Alternate { get; init; }

    public int Width { get; init; }

    /// <summary>Between groups of digits, or 0.</summary>
    public char Grouping { get; init; }

    /// <summary>Negative if not given.</summary>
    public int Precision { get; init; }

    /// <summary>The letter, or 0.</summary>
    public char Type { get; init; }

    /// <summary>No format at all.</summary>
    public static FormatSpec Plain { get; } = Parse("");

    /// <summary>Reads <c>[[fill]align][sign][#][0][width][,][.precision][type]</c>.</summary>
    public static FormatSpec Parse(string text)
    {
        int at = 0;
        string fill = " ";
        char align = '\0', sign = '-', grouping = '\0', type = '\0';
        int first = text.Length > 0 ? CodePoints.Width(text, 0) : 0;
        if (text.Length > first && first > 0 && text[first] is '<' or '>' or '^' or '=')
        {
            (fill, align) = (text[..first], text[first]);
            at = first + 1;
        }
        else if (first > 0 && text[0] is '<' or '>' or '^' or '=')
        {
            align = text[at++];
        }
        if (at < text.Length && text[at] is '+' or '-' or ' ') sign = text[at++];
        bool alternate = Take('#');
        if (Take('0') && align == '\0') (fill, align) = ("0", '=');
        int width = Number(), precision = -1;
        if (at < text.Length && text[at] is ',' or '_') grouping = text[at++];
        if (Take('.') && (precision = Number()) < 0) throw Bad();
        if (at < text.Length) type = text[at++];
        if (at < text.Length) throw Bad();
        return new() { Fill = fill, Align = align, Sign = sign, Alternate = alternate, Width = Math.Max(0, width), Grouping = grouping, Precision = precision, Type = type };

        bool Take(char wanted)
        {
            bool found = at < text.Length && text[at] == wanted;
            if (found) at++;
            return found;
        }

        int Number()
        {
            int start = at;
            while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
            return at == start ? -1 : int.TryParse(text.AsSpan(start, at - start), out int number) ? number : throw Bad();
        }

        TemplateException Bad() => new($"'{text}' is no format");
    }

    /// <summary>Appends a value.</summary>
    public void Format(RenderState state, TextBuilder to, Value value)
    {
        // A boolean is a word without a format and a number with one.
        if (!value.IsNumber || (value.Kind == ValueKind.Boolean && this == Plain))
        {
            if (Type is not ('\0' or 's') || Align == '=') throw new TemplateException($"a {value.TypeName} has no format '{Type}'");
            if (!value.IsText && (Width > 0 || Precision >= 0) && !value.IsNumber) throw new TemplateException($"a {value.TypeName} has no format");
            AppendPadded(to, Cut(ValuePrinter.Str(state, value)), '<');
            return;
        }
        if (Precision > Budget.MaxRange) throw new TemplateException("the precision of a format is too large");
        (string sign, string digits) = Type is 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or '%' || value.Kind == ValueKind.Float ? FloatDigits(value.AsDouble) : IntegerDigits(value.AsBig);
        if (Align != '=')
        {
            AppendPadded(to, Value.Of(sign + digits), '>');
            return;
        }
        to.Append(sign);
        for (int i = sign.Length + digits.Length; i < Width; i++) to.Append(Fill);
        to.Append(digits);
    }

    private Value Cut(Value text) => Precision < 0 || CodePoints.Count(text.Text) <= Precision ? text : text.Slice(0, CodePoints.Offset(text.Text, Precision));

    private void AppendPadded(TextBuilder to, Value text, char preferred)
    {
        int missing = Math.Max(0, Width - CodePoints.Count(text.Text));
        int before = (Align == '\0' ? preferred : Align) switch { '<' => 0, '^' => missing / 2, _ => missing };
        for (int i = 0; i < before; i++) to.Append(Fill);
        to.Append(text);
        for (int i = before; i < missing; i++) to.Append(Fill);
    }

    private string SignOf(bool negative) => negative ? "-" : Sign == '-' ? "" : Sign.ToString();

    private (string Sign, string Digits) IntegerDigits(BigInteger value)
    {
        BigInteger size = BigInteger.Abs(value);
        (string digits, string prefix, int group) = Type switch
        {
            '\0' or 'd' or 'n' => (size.ToString(CultureInfo.InvariantCulture), "", 3),
            'x' => (Hex(size).ToLowerInvariant(), "0x", 4),
            'X' => (Hex(size), "0X", 4),
            'o' => (Radix(size, 3), "0o", 4),
            'b' => (Radix(size, 1), "0b", 4),
            'c' when size <= 0x10FFFF && value.Sign >= 0 && size is var point && (point < 0xD800 || point > 0xDFFF) => (char.ConvertFromUtf32((int)point), "", 0),
            _ => throw new TemplateException($"an int has no format '{Type}'"),
        };
        return (SignOf(value.Sign < 0) + (Alternate ? prefix : ""), Grouping == '\0' ? digits : Group(digits, group));
    }

    private (string Sign, string Digits) FloatDigits(double value)
    {
        double size = Math.Abs(value);
        string sign = SignOf(double.IsNegative(value) && !double.IsNaN(value));
        if (!double.IsFinite(size)) return (sign, (char.IsUpper(Type) ? NumberText.Repr(size).ToUpperInvariant() : NumberText.Repr(size)) + (Type == '%' ? "%" : ""));
        int places = Precision < 0 ? 6 : Precision;
        string digits = Type switch
        {
            'f' or 'F' => NumberText.Fixed(size, places),
            '%' => NumberText.Fixed(size * 100, places) + "%",
            'e' or 'E' => Exponential(size, places),
            'g' or 'G' or 'n' => General(size, places, keepPoint: false),
            '\0' => Precision < 0 ? NumberText.Repr(size) : General(size, places, keepPoint: true),
            _ => throw new TemplateException($"a float has no format '{Type}'"),
        };
        if (Alternate && !digits.Contains('.')) digits = digits.Insert(digits.AsSpan().IndexOfAny("eE%") is >= 0 and var end ? end : digits.Length, ".");
        if (Grouping != '\0')
        {
            int whole = digits.AsSpan().IndexOfAnyExceptInRange('0', '9') is >= 0 and var point ? point : digits.Length;
            digits = Group(digits[..whole], 3) + digits[whole..];
        }
        return (sign, digits);
    }

    private string Exponential(double size, int places)
    {
        string[] parts = size.ToString("E" + places.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture).Split('E');
        return parts[0] + NumberText.Exponent(char.IsUpper(Type) ? 'E' : 'e', int.Parse(parts[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
    }

    /// <summary>That many significant digits, with an exponent where the point would be far away.</summary>
    private string General(double size, int digits, bool keepPoint)
    {
        digits = Math.Max(1, digits);
        string text = Exponential(size, digits - 1);
        int at = text.LastIndexOfAny(['e', 'E']);
        int exponent = int.Parse(text.AsSpan(at + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        bool scientific = exponent < -4 || exponent >= digits || (keepPoint && exponent + 1 >= digits);
        string mantissa = scientific ? text[..at] : NumberText.Fixed(size, digits - 1 - exponent);
        if (!Alternate && mantissa.Contains('.')) mantissa = mantissa.TrimEnd('0').TrimEnd('.');
        if (scientific) return mantissa + text[at..];
        return keepPoint && !mantissa.Contains('.') ? mantissa + ".0" : mantissa;
    }

    private string Group(string digits, int size)
    {
        for (int i = digits.Length - size; i > 0 && size > 0; i -= size) digits = digits.Insert(i, Grouping.ToString());
        return digits;
    }

    private static string Hex(BigInteger value) => value.ToString("X", CultureInfo.InvariantCulture).TrimStart('0') is { Length: > 0 } digits ? digits : "0";

    private static string Radix(BigInteger value, int bits)
    {
        string digits = "";
        for (; !value.IsZero; value >>= bits) digits = (char)('0' + (int)(value & ((1 << bits) - 1))) + digits;
        return digits.Length == 0 ? "0" : digits;
    }
}
