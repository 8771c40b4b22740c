using System.Globalization;
using System.Text;

namespace Inference.Models.Templates;

/// <summary>The methods of Python's <c>str</c>.</summary>
internal static class TextMethods
{
    private static readonly Dictionary<string, NativeFunction> All = Create().ToDictionary(method => method.Name, StringComparer.Ordinal);

    public static NativeFunction? Find(string name) => All.GetValueOrDefault(name);

    private static IEnumerable<NativeFunction> Create()
    {
        yield return Of("strip", "chars=none", (state, text, a) => TextOperations.Strip(text, a[0]));
        yield return Of("lstrip", "chars=none", (state, text, a) => TextOperations.Strip(text, a[0], right: false));
        yield return Of("rstrip", "chars=none", (state, text, a) => TextOperations.Strip(text, a[0], left: false));
        yield return Of("split", "sep=none, maxsplit=-1", (state, text, a) => TextOperations.Split(state, text, a[0], Sequences.Index(a[1], "maxsplit"), fromEnd: false));
        yield return Of("rsplit", "sep=none, maxsplit=-1", (state, text, a) => TextOperations.Split(state, text, a[0], Sequences.Index(a[1], "maxsplit"), fromEnd: true));
        yield return Of("splitlines", "keepends=false", (state, text, a) => TextOperations.SplitLines(state, text, a[0].IsTrue));
        yield return Of("partition", "sep", (state, text, a) => Partition(text, a[0], last: false));
        yield return Of("rpartition", "sep", (state, text, a) => Partition(text, a[0], last: true));
        yield return Of("replace", "old, new, count=-1", Replace);
        yield return Of("join", "iterable", (state, text, a) => TextOperations.Join(state, text, Sequences.Enumerate(a[0]), textOnly: true));
        yield return Of("removeprefix", "prefix", (state, text, a) => Argument(a[0]) is var part && text.Text.StartsWith(part, StringComparison.Ordinal) ? text.Slice(part.Length, text.Text.Length - part.Length) : text);
        yield return Of("removesuffix", "suffix", (state, text, a) => Argument(a[0]) is var part && text.Text.EndsWith(part, StringComparison.Ordinal) ? text.Slice(0, text.Text.Length - part.Length) : text);
        yield return Of("upper", "", (state, text, a) => text.WithText(TextCase.Upper(text.Text)));
        yield return Of("lower", "", (state, text, a) => text.WithText(TextCase.Lower(text.Text)));
        yield return Of("casefold", "", (state, text, a) => text.WithText(TextCase.Lower(text.Text.Replace("ß", "ss", StringComparison.Ordinal))));
        yield return Of("title", "", (state, text, a) => text.WithText(TextCase.Title(text.Text)));
        yield return Of("capitalize", "", (state, text, a) => text.WithText(TextCase.Capitalize(text.Text)));
        yield return Of("swapcase", "", (state, text, a) => text.WithText(TextCase.SwapCase(text.Text)));
        // Python puts the odd one left only if width and length are both odd; see unicode_center.
        yield return Of("center", "width, fillchar= ", (state, text, a) => TextOperations.Pad(state, text, a[0], a[1], missing => missing / 2 + (missing & (int)a[0].AsLong & 1)));
        yield return Of("ljust", "width, fillchar= ", (state, text, a) => TextOperations.Pad(state, text, a[0], a[1], missing => 0));
        yield return Of("rjust", "width, fillchar= ", (state, text, a) => TextOperations.Pad(state, text, a[0], a[1], missing => missing));
        yield return Of("zfill", "width", ZeroFill);
        yield return Of("expandtabs", "tabsize=8", ExpandTabs);
        yield return Of("startswith", "prefix, start=none, end=none", (state, text, a) => Affix(state, text, a, (part, affix) => part.StartsWith(affix, StringComparison.Ordinal)));
        yield return Of("endswith", "suffix, start=none, end=none", (state, text, a) => Affix(state, text, a, (part, affix) => part.EndsWith(affix, StringComparison.Ordinal)));
        yield return Of("find", "sub, start=none, end=none", (state, text, a) => Value.Of((long)Position(state, text, a, last: false)));
        yield return Of("rfind", "sub, start=none, end=none", (state, text, a) => Value.Of((long)Position(state, text, a, last: true)));
        yield return Of("index", "sub, start=none, end=none", (state, text, a) => Found(Position(state, text, a, last: false)));
        yield return Of("rindex", "sub, start=none, end=none", (state, text, a) => Found(Position(state, text, a, last: true)));
        yield return Of("count", "sub, start=none, end=none", Count);
        yield return new NativeFunction("format", (RenderState state, Value text, in Arguments arguments) => BraceFormat.Format(state, text, arguments));
        yield return Of("format_map", "mapping", (state, text, a) => BraceFormat.Format(state, text, new ArgumentList { Keywords = new ConstantExpression(0, a[0]) }.Evaluate(state)));
        yield return Is("islower", TextCase.IsLower);
        yield return Is("isupper", TextCase.IsUpper);
        yield return Is("istitle", TextCase.IsTitle);
        yield return Is("isspace", text => text.Length > 0 && text.All(CodePoints.IsSpace));
        yield return Is("isascii", text => Ascii.IsValid(text));
        yield return Is("isalpha", text => All_(text, Rune.IsLetter));
        yield return Is("isalnum", text => All_(text, rune => Rune.IsLetter(rune) || Rune.GetNumericValue(rune) >= 0));
        yield return Is("isdigit", text => All_(text, IsDigit));
        yield return Is("isdecimal", text => All_(text, Rune.IsDigit));
        yield return Is("isnumeric", text => All_(text, rune => Rune.GetNumericValue(rune) >= 0));
        yield return Is("isprintable", text => text.EnumerateRunes().All(rune => CodePoints.IsPrintable(rune.Value)));
        yield return Is("isidentifier", text => text.Length > 0 && text.EnumerateRunes().Select((rune, i) => rune.Value == '_' || Rune.IsLetter(rune) || (i > 0 && Rune.IsLetterOrDigit(rune))).All(part => part));
    }

    private static NativeFunction Of(string name, string parameters, BoundCode code) => NativeFunction.Bound(name, parameters, (state, text, arguments) =>
    {
        Value result = code(state, text, arguments);
        return text.IsMarkup && result.IsText ? result.AsMarkup() : result;
    });

    private static NativeFunction Is(string name, Func<string, bool> test) => Of(name, "", (state, text, arguments) => Value.Of(test(text.Text)));

    private static bool All_(string text, Func<Rune, bool> test) => text.Length > 0 && text.EnumerateRunes().All(test);

    private static bool IsDigit(Rune rune) => Rune.IsDigit(rune) || (Rune.GetUnicodeCategory(rune) == UnicodeCategory.OtherNumber && Rune.GetNumericValue(rune) is >= 0 and <= 9 and var value && value == Math.Floor(value) && rune.Value < 0x2800);

    private static string Argument(Value value) => TextOperations.TextArgument(value, "the argument");

    private static Value Replace(RenderState state, Value text, Value[] a)
    {
        _ = (Argument(a[0]), Argument(a[1]));
        return TextOperations.Replace(state, text, a[0], a[1], Sequences.Index(a[2], "count"));
    }

    private static Value Partition(Value text, Value separator, bool last)
    {
        string part = Argument(separator);
        if (part.Length == 0) throw new TemplateException("the separator is empty");
        int at = last ? text.Text.LastIndexOf(part, StringComparison.Ordinal) : text.Text.IndexOf(part, StringComparison.Ordinal);
        if (at < 0) return last ? Value.Tuple(Value.Empty, Value.Empty, text) : Value.Tuple(text, Value.Empty, Value.Empty);
        int end = at + part.Length;
        return Value.Tuple(text.Slice(0, at), text.Slice(at, part.Length), text.Slice(end, text.Text.Length - end));
    }

    private static Value ZeroFill(RenderState state, Value text, Value[] a)
    {
        int missing = Sequences.Index(a[0], "a width") - CodePoints.Count(text.Text);
        if (missing <= 0) return text;
        int sign = text.Text.Length > 0 && text.Text[0] is '+' or '-' ? 1 : 0;
        TextBuilder builder = state.RentBuilder();
        return state.Finish(builder.Append(text, 0, sign).Append('0', missing).Append(text, sign, text.Text.Length - sign));
    }

    private static Value ExpandTabs(RenderState state, Value text, Value[] a)
    {
        int size = Sequences.Index(a[0], "tabsize"), column = 0;
        TextBuilder builder = state.RentBuilder();
        for (int i = 0, width; i < text.Text.Length; i += width)
        {
            width = CodePoints.Width(text.Text, i);
            char character = text.Text[i];
            if (character == '\t')
            {
                int spaces = size > 0 ? size - column % size : 0;
                builder.Append(' ', spaces);
                column += spaces;
                continue;
            }
            builder.Append(text, i, width);
            column = character is '\n' or '\r' ? 0 : column + 1;
        }
        return state.Finish(builder);
    }

    /// <summary>The part between two positions, and how many characters stand before it.</summary>
    private static (string Part, int Before, bool Exists) Between(RenderState state, Value text, Value[] a)
    {
        if (a[1].IsNone && a[2].IsNone) return (text.Text, 0, true);
        int length = CodePoints.Count(text.Text);
        long start = Bound(a[1], 0), end = Math.Min(length, Bound(a[2], length));
        return (Slices.Of(state, text, a[1], a[2], Value.None).Text, (int)Math.Min(start, length), start <= end);

        long Bound(Value value, int missing)
        {
            long bound = value.IsNone ? missing : Sequences.Index(value, "a position");
            return Math.Max(0, bound < 0 ? bound + length : bound);
        }
    }

    private static Value Affix(RenderState state, Value text, Value[] a, Func<string, string, bool> test)
    {
        (string part, _, bool exists) = Between(state, text, a);
        if (a[0].Kind == ValueKind.Tuple) return Value.Of(a[0].AsArray.Any(affix => exists && test(part, Argument(affix))));
        return Value.Of(exists && test(part, Argument(a[0])));
    }

    private static int Position(RenderState state, Value text, Value[] a, bool last)
    {
        string wanted = Argument(a[0]);
        (string part, int before, bool exists) = Between(state, text, a);
        int at = last ? part.LastIndexOf(wanted, StringComparison.Ordinal) : part.IndexOf(wanted, StringComparison.Ordinal);
        return at < 0 || !exists ? -1 : before + CodePoints.Count(part.AsSpan(0, at));
    }

    private static Value Found(int position) => position >= 0 ? Value.Of((long)position) : throw new TemplateException("the substring does not occur");

    private static Value Count(RenderState state, Value text, Value[] a)
    {
        string wanted = Argument(a[0]);
        (string part, _, bool exists) = Between(state, text, a);
        if (!exists) return Value.Of(0L);
        return Value.Of(wanted.Length == 0 ? CodePoints.Count(part) + 1L : part.AsSpan().Count(wanted));
    }
}
