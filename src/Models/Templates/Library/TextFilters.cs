using System.Text.RegularExpressions;

namespace Inference.Models.Templates;

/// <summary>Filters that give text. What is no text is taken as <c>str</c> prints it, unless said otherwise.</summary>
internal static partial class TextFilters
{
    public static IEnumerable<NativeFunction> Create()
    {
        yield return Of("string", "", (state, text, a) => text);
        yield return Of("trim", "chars=none", (state, text, a) => TextOperations.Strip(text, a[0]));
        yield return Of("upper", "", (state, text, a) => text.WithText(TextCase.Upper(text.Text)));
        yield return Of("lower", "", (state, text, a) => text.WithText(TextCase.Lower(text.Text)));
        yield return Of("capitalize", "", (state, text, a) => text.WithText(TextCase.Capitalize(text.Text)));
        yield return Of("title", "", (state, text, a) => text.WithText(Title(text.Text)).AsPlain());
        yield return Of("center", "width=80", (state, text, a) => TextMethods.Find("center")!.Code(state, text, Arguments.Of(a[0])));
        yield return Of("replace", "s, old, count=none", (state, text, a) =>
            TextOperations.Replace(state, text.AsPlain(), ValuePrinter.Str(state, a[0]), ValuePrinter.Str(state, a[1]), a[2].IsNone ? -1 : Sequences.Index(a[2], "count")));
        yield return Of("format", null, (RenderState state, Value text, in Arguments arguments) => PercentFormat.Format(state, text, PercentValues(arguments)));
        yield return Of("wordcount", "", (state, text, a) => Value.Of((long)Words().Count(text.Text)));
        yield return Of("striptags", "", (state, text, a) => Html.StripTags(state, text));
        yield return NativeFunction.Bound("urlencode", "", UrlEncode);
        yield return NativeFunction.Bound("escape", "", (state, value, a) => Html.Escape(state, value));
        yield return NativeFunction.Bound("e", "", (state, value, a) => Html.Escape(state, value));
        yield return NativeFunction.Bound("forceescape", "", (state, value, a) => Html.Escape(state, value.AsPlain()));
        yield return NativeFunction.Bound("safe", "", (state, value, a) => ValuePrinter.Str(state, value).AsMarkup());
        yield return NativeFunction.Bound("indent", "width=4, first=false, blank=false", Indent);
        yield return NativeFunction.Bound("truncate", "length=255, killwords=false, end=..., leeway=none", Truncate);
        yield return NativeFunction.Bound("wordwrap", "width=79, break_long_words=true, wrapstring=none, break_on_hyphens=true", WordWrap.Wrap);
        yield return NativeFunction.Bound("xmlattr", "autospace=true", XmlAttributes);
        yield return NativeFunction.Bound("pprint", "", (state, value, a) => Repr(state, value));
    }

    private static NativeFunction Of(string name, string parameters, BoundCode code) =>
        NativeFunction.Bound(name, parameters, (state, value, arguments) => code(state, ValuePrinter.Str(state, value), arguments));

    private static NativeFunction Of(string name, string? _, NativeCode code) =>
        new(name, (RenderState state, Value value, in Arguments arguments) => code(state, ValuePrinter.Str(state, value), arguments));

    private static Value PercentValues(in Arguments arguments)
    {
        if (arguments.Names.Length == 0) return Value.Tuple(arguments.Positional);
        if (arguments.Positional.Length > 0) throw new TemplateException("format takes arguments by position or by name, not both");
        var dict = new DictValue(arguments.Names.Length);
        for (int i = 0; i < arguments.Names.Length; i++) dict.Set(Value.Of(arguments.Names[i]), arguments.Named[i]);
        return Value.Dict(dict);
    }

    private static Value Repr(RenderState state, Value value)
    {
        TextBuilder builder = state.RentBuilder();
        ValuePrinter.Repr(builder, value);
        return state.Finish(builder);
    }

    /// <summary>Upper case after white space, <c>- ( { [ &lt;</c> and at the start, lower case elsewhere.</summary>
    private static string Title(string text) => string.Concat(WordStarts().Split(text).Where(part => part.Length > 0).Select(part =>
        TextCase.Upper(part[..CodePoints.Width(part, 0)]) + TextCase.Lower(part[CodePoints.Width(part, 0)..])));

    /// <summary>Every line but the first, or that one too, behind spaces; empty lines stay empty unless <c>blank</c>.</summary>
    private static Value Indent(RenderState state, Value value, Value[] a)
    {
        if (!value.IsText) throw value.IsUndefined ? value.UndefinedError() : new TemplateException($"indent needs a string, not a {value.TypeName}");
        Value indent = a[0].IsText ? a[0] : Value.Of(new string(' ', Math.Clamp(Sequences.Index(a[0], "width"), 0, Budget.MaxRange)));
        // Jinja appends a newline first, so that a text without lines has one.
        Value[] lines = TextOperations.SplitLines(state, value.Text.Length == 0 ? Value.Of("\n") : value, keepEnds: false).AsArray;
        if (value.Text.Length > 0 && value.Text[^1] is '\n' or '\r' or '\v' or '\f' or '\u001C' or '\u001D' or '\u001E' or '\u0085' or '\u2028' or '\u2029' && !EndsInReturn(value.Text))
            lines = [.. lines, Value.Empty];
        TextBuilder builder = state.RentBuilder();
        for (int i = 0; i < lines.Length; i++)
        {
            if (i > 0) builder.Append('\n');
            if (i > 0 ? a[2].IsTrue || lines[i].Text.Length > 0 : a[1].IsTrue) builder.Append(indent);
            builder.Append(lines[i]);
        }
        Value text = state.Finish(builder);
        return value.IsMarkup ? text.AsMarkup() : text;
    }

    // A "\r" and the newline that is appended are one line end.
    private static bool EndsInReturn(string text) => text[^1] == '\r';

    private static Value Truncate(RenderState state, Value value, Value[] a)
    {
        string end = TextOperations.TextArgument(a[2], "end");
        int length = Sequences.Index(a[0], "length"), leeway = a[3].IsNone ? 5 : Sequences.Index(a[3], "leeway"), keep = length - CodePoints.Count(end);
        if (keep < 0 || leeway < 0) throw new TemplateException("length must be at least that of the end, leeway at least 0");
        if (Sequences.Length(value) <= (long)length + leeway) return value;
        string text = TextOperations.TextArgument(value, "the text");
        int cut = CodePoints.Offset(text, keep);
        if (!a[1].IsTrue && text.LastIndexOf(' ', Math.Max(0, cut - 1), cut) is >= 0 and var space) cut = space;
        TextBuilder builder = state.RentBuilder();
        return state.Finish(builder.Append(value, 0, cut).Append(a[2]));
    }

    private static Value UrlEncode(RenderState state, Value value, Value[] a)
    {
        if (value.IsText || Sequences.TryEnumerate(value) is null) return ValuePrinter.Str(state, value) is var text ? text.WithText(Quote(text.Text, "/")) : default;
        IEnumerable<Value> pairs = value.Kind == ValueKind.Dict ? new DictView(value.AsDict, DictView.Part.Items).Items : Sequences.Enumerate(value);
        Value[] parts = [.. pairs.Select(pair => Sequences.ToArray(state, pair)).Select(pair => pair.Length == 2 ? Value.OfUser(QuoteForm(state, pair[0]) + "=" + QuoteForm(state, pair[1])) : throw new TemplateException("urlencode needs pairs"))];
        return TextOperations.Join(state, Value.Of("&"), parts, textOnly: true);
    }

    private static string QuoteForm(RenderState state, Value value) => Quote(ValuePrinter.Str(state, value).Text, "").Replace("%20", "+", StringComparison.Ordinal);

    private static string Quote(string text, string safe) => safe.Length == 0 ? Uri.EscapeDataString(text) : string.Join(safe, text.Split(safe).Select(Uri.EscapeDataString));

    private static Value XmlAttributes(RenderState state, Value value, Value[] a)
    {
        if (value.Kind != ValueKind.Dict) throw value.IsUndefined ? value.UndefinedError() : new TemplateException($"xmlattr needs a dict, not a {value.TypeName}");
        TextBuilder builder = state.RentBuilder();
        for (int i = 0; i < value.AsDict.Count; i++)
        {
            Value key = value.AsDict.Key(i), content = value.AsDict.ValueAt(i);
            if (content.IsNone || content.IsUndefined) continue;
            if (TextOperations.TextArgument(key, "an attribute's name").AsSpan().IndexOfAny(" \t\n\r\f\v/>=") >= 0) throw new TemplateException($"'{key.Text}' is no name of an attribute");
            if (builder.Length > 0 || a[0].IsTrue) builder.Append(' ');
            builder.Append(Html.Escape(state, key)).Append("=\"").Append(Html.Escape(state, content)).Append('"');
        }
        return state.Finish(builder);
    }

    [GeneratedRegex(@"\w+")]
    private static partial Regex Words();

    [GeneratedRegex(@"([-\s({\[<]+)")]
    private static partial Regex WordStarts();
}
