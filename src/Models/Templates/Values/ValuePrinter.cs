using System.Globalization;

namespace Inference.Models.Templates;

/// <summary>Values as Python prints them: <c>str</c> for output, <c>repr</c> inside lists and dictionaries.</summary>
internal static class ValuePrinter
{
    /// <summary>Appends Python's <c>str</c>.</summary>
    public static void Str(TextBuilder to, Value value)
    {
        if (value.IsText) to.Append(value);
        else if (!value.IsUndefined) Repr(to, value);
    }

    /// <summary>Python's <c>str</c> as a value with its marks; text stays as it is.</summary>
    public static Value Str(RenderState state, Value value)
    {
        if (value.IsText) return value;
        TextBuilder builder = state.RentBuilder();
        Str(builder, value);
        return state.Finish(builder);
    }

    /// <summary>Appends Python's <c>repr</c>.</summary>
    public static void Repr(TextBuilder to, Value value)
    {
        switch (value.Kind)
        {
            case ValueKind.Undefined: to.Append("Undefined"); break;
            case ValueKind.None: to.Append("None"); break;
            case ValueKind.Text: Quote(to, value); break;
            case ValueKind.List: PrintItems(to, value.AsArray, '[', ']'); break;
            case ValueKind.Tuple: PrintItems(to, value.AsArray, '(', ')'); break;
            case ValueKind.Dict: Print(to, value.AsDict); break;
            case ValueKind.Object: value.AsObject.Print(to); break;
            default: to.Append(NumberText.Repr(value)); break;
        }
    }

    public static void PrintItems(TextBuilder to, Value[] items, char open, char close)
    {
        Budget.Descend();
        to.Append(open);
        for (int i = 0; i < items.Length; i++)
        {
            if (i > 0) to.Append(", ");
            Repr(to, items[i]);
        }
        if (open == '(' && items.Length == 1) to.Append(',');
        to.Append(close);
    }

    private static void Print(TextBuilder to, DictValue dict)
    {
        Budget.Descend();
        to.Append('{');
        for (int i = 0; i < dict.Count; i++)
        {
            if (i > 0) to.Append(", ");
            Repr(to, dict.Key(i));
            to.Append(": ");
            Repr(to, dict.ValueAt(i));
        }
        to.Append('}');
    }

    /// <summary>Single quotes, unless only double ones spare an escape; what is not printable is escaped.</summary>
    private static void Quote(TextBuilder to, Value value)
    {
        string text = value.Text;
        char quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        if (value.IsMarkup) to.Append("Markup(");
        to.Append(quote);
        int done = 0;
        for (int i = 0, width; i < text.Length; i += width)
        {
            width = CodePoints.Width(text, i);
            int character = CodePoints.At(text, i);
            if (character != '\\' && character != quote && CodePoints.IsPrintable(character)) continue;
            to.Append(value, done, i - done);
            to.AppendLike(value, character switch
            {
                '\\' or '\'' or '"' => "\\" + (char)character,
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                <= 0xFF => string.Create(CultureInfo.InvariantCulture, $"\\x{character:x2}"),
                <= 0xFFFF => string.Create(CultureInfo.InvariantCulture, $"\\u{character:x4}"),
                _ => string.Create(CultureInfo.InvariantCulture, $"\\U{character:x8}"),
            });
            done = i + width;
        }
        to.Append(value, done, text.Length - done);
        to.Append(quote);
        if (value.IsMarkup) to.Append(')');
    }
}
