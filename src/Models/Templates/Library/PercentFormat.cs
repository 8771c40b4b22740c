using System.Globalization;

namespace Inference.Models.Templates;

/// <summary>Python's <c>'…%s…' % values</c>.</summary>
internal static class PercentFormat
{
    /// <param name="state">The render.</param>
    /// <param name="format">The text with conversions.</param>
    /// <param name="values">A tuple of values, a dictionary for named ones, or one value.</param>
    public static Value Format(RenderState state, Value format, Value values)
    {
        string text = format.Text;
        Value[] items = values.Kind == ValueKind.Tuple ? values.AsArray : [values];
        int used = 0;
        TextBuilder builder = state.RentBuilder();
        int at = 0;
        while (true)
        {
            int percent = text.IndexOf('%', at);
            if (percent < 0) break;
            builder.Append(format, at, percent - at);
            at = percent + 1;
            bool named = false;
            Value value = default;
            if (at < text.Length && text[at] == '(')
            {
                int close = Closing(text, at);
                if (values.Kind != ValueKind.Dict) throw new TemplateException("a named conversion needs a dict");
                if (!values.AsDict.TryGet(text[(at + 1)..close], out value)) throw new TemplateException($"the dict has no key '{text[(at + 1)..close]}'");
                named = true;
                at = close + 1;
            }
            int flags = at;
            while (at < text.Length && text[at] is '-' or '+' or ' ' or '#' or '0') at++;
            string given = text[flags..at];
            int width = Number(), precision = -1;
            if (at < text.Length && text[at] == '.')
            {
                at++;
                precision = Math.Max(0, Number());
            }
            while (at < text.Length && text[at] is 'h' or 'l' or 'L') at++;
            if (at >= text.Length) throw new TemplateException("a format ends in a conversion that is not complete");
            char type = text[at++];
            if (type == '%')
            {
                builder.Append('%');
                continue;
            }
            if (!named) value = Next();
            bool left = width < 0 || given.Contains('-');
            bool zeros = given.Contains('0') && !left && type is not ('s' or 'r' or 'a' or 'c');
            var spec = new FormatSpec
            {
                Fill = zeros ? "0" : " ",
                Align = left ? '<' : zeros ? '=' : '>',
                Sign = given.Contains('+') ? '+' : given.Contains(' ') ? ' ' : '-',
                Alternate = given.Contains('#'),
                Width = Math.Abs(width),
                Precision = precision,
            };
            Convert(state, builder, value, spec, type);
        }
        builder.Append(format, at, text.Length - at);
        if (used < items.Length && values.Kind is ValueKind.Tuple or ValueKind.None or ValueKind.Text || (used == 0 && values.IsNumber)) throw new TemplateException("there are more values than conversions");
        return state.Finish(builder);

        Value Next() => used < items.Length ? items[used++] : throw new TemplateException("there are fewer values than conversions");

        int Number()
        {
            if (at < text.Length && text[at] == '*')
            {
                at++;
                return Sequences.Index(Next(), "a width");
            }
            int start = at;
            while (at < text.Length && char.IsAsciiDigit(text[at])) at++;
            return at == start ? 0 : int.TryParse(text.AsSpan(start, at - start), CultureInfo.InvariantCulture, out int number) ? number : throw new TemplateException("a width is too large");
        }
    }

    private static int Closing(string text, int open)
    {
        int depth = 0;
        for (int i = open; i < text.Length; i++)
        {
            if (text[i] == '(') depth++;
            else if (text[i] == ')' && --depth == 0) return i;
        }
        throw new TemplateException("a conversion's name is not closed");
    }

    private static void Convert(RenderState state, TextBuilder to, Value value, FormatSpec spec, char type)
    {
        switch (type)
        {
            case 's' or 'r' or 'a':
                TextBuilder text = state.RentBuilder();
                if (type == 's') ValuePrinter.Str(text, value);
                else ValuePrinter.Repr(text, value);
                spec.Format(state, to, state.Finish(text));
                break;
            case 'c' when value.IsText && CodePoints.Count(value.Text) == 1:
                spec.Format(state, to, value);
                break;
            case 'd' or 'i' or 'u' when value.IsNumber:
                Value whole = value.Kind == ValueKind.Float ? Numbers.Truncate(value.AsDouble) : Value.Of(value.AsBig);
                (spec with { Type = 'd' }).Format(state, to, whole);
                break;
            case 'x' or 'X' or 'o' or 'c' when value.IsIntegral:
            case 'e' or 'E' or 'f' or 'F' or 'g' or 'G' when value.IsNumber:
                (spec with { Type = type }).Format(state, to, value.Kind == ValueKind.Boolean ? Value.Of(value.AsLong) : value);
                break;
            default:
                throw value.IsUndefined ? value.UndefinedError() : new TemplateException($"%{type} does not convert a {value.TypeName}");
        }
    }
}
