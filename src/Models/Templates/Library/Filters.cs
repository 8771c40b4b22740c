using System.Numerics;

namespace Inference.Models.Templates;

/// <summary>What can follow <c>|</c>: the table of all filters, and those of numbers and values in general.</summary>
internal static class Filters
{
    private static readonly Dictionary<string, NativeFunction> All = ((IEnumerable<NativeFunction>)[.. Create(), .. TextFilters.Create(), .. SequenceFilters.Create(), .. SelectionFilters.Create()])
        .ToDictionary(filter => filter.Name, StringComparer.Ordinal);

    public static NativeFunction? Find(string name) => All.GetValueOrDefault(name);

    public static TemplateException Unknown(string name) => new($"there is no filter '{name}'");

    private static IEnumerable<NativeFunction> Create()
    {
        yield return NativeFunction.Bound("abs", "", (state, value, a) => Numbers.Absolute(Number(value, "abs")));
        yield return NativeFunction.Bound("attr", "name", (state, value, a) => Attribute(value, a[0]));
        yield return NativeFunction.Bound("int", "default=0, base=10", ToInteger);
        yield return NativeFunction.Bound("float", "default=none", ToFloat);
        yield return NativeFunction.Bound("round", "precision=0, method=common", Round);
        yield return NativeFunction.Bound("filesizeformat", "binary=false", (state, value, a) => Value.Of(FileSize(value, a[0].IsTrue)));
        yield return NativeFunction.Bound("tojson", "ensure_ascii=false, indent=none, separators=none, sort_keys=false", JsonPrinter.Print);
        foreach (string name in (string[])["default", "d"])
            yield return NativeFunction.Bound(name, "default_value=, boolean=false", (state, value, a) => value.IsUndefined || (a[1].IsTrue && !value.IsTrue) ? a[0] : value);
    }

    private static Value Number(Value value, string filter) => value.IsNumber ? value : throw (value.IsUndefined ? value.UndefinedError() : new TemplateException($"{filter} needs a number, not a {value.TypeName}"));

    private static Value Attribute(Value value, Value name)
    {
        string attribute = TextOperations.TextArgument(name, "the name of an attribute");
        // The keys of a dictionary are no attributes here.
        return value.Kind == ValueKind.Dict && !Members.TryFindMethod(value, attribute, out _) ? Value.UndefinedAttribute(value, attribute) : Members.Attribute(value, attribute);
    }

    private static Value ToInteger(RenderState state, Value value, Value[] a)
    {
        if (value.IsUndefined) throw value.UndefinedError();
        if (value.IsText && NumberText.TryParseInteger(value.Text, Sequences.Index(a[1], "base"), out BigInteger whole)) return Value.Of(whole);
        // "42.23" becomes 42, by way of a float.
        double number = value.IsNumber ? value.AsDouble : value.IsText && NumberText.TryParseFloat(value.Text, out double parsed) ? parsed : double.NaN;
        if (value.IsIntegral) return Value.Of(value.AsBig);
        if (double.IsInfinity(number) && !value.IsText) throw new TemplateException("infinity has no integer");
        return double.IsFinite(number) ? Numbers.Truncate(number) : a[0];
    }

    private static Value ToFloat(RenderState state, Value value, Value[] a)
    {
        if (value.IsUndefined) throw value.UndefinedError();
        if (value.IsNumber) return Value.Of(value.AsDouble);
        return value.IsText && NumberText.TryParseFloat(value.Text, out double parsed) ? Value.Of(parsed) : a[0].IsNone ? Value.Of(0.0) : a[0];
    }

    private static Value Round(RenderState state, Value value, Value[] a)
    {
        Number(value, "round");
        int places = Sequences.Index(a[0], "precision");
        string method = TextOperations.TextArgument(a[1], "method");
        double number = value.AsDouble;
        if (method is "ceil" or "floor")
        {
            double scale = Math.Pow(10, places), whole = method == "ceil" ? Math.Ceiling(number * scale) : Math.Floor(number * scale);
            if (!double.IsFinite(whole)) throw new TemplateException("infinity and NaN have no integer");
            // Python makes an integer of it, which has no negative zero.
            return Value.Of((whole + 0.0) / scale);
        }
        if (method != "common") throw new TemplateException("method must be common, ceil or floor");
        if (value.IsIntegral && places >= 0) return Value.Of(value.AsBig);
        // Beyond these a double does not change, or nothing is left of it.
        if (!double.IsFinite(number) || places > 330) return value;
        if (places < -330) return value.IsIntegral ? Value.Of(0L) : Value.Of(0.0);
        if (value.IsIntegral) return Value.Of(RoundInteger(value.AsBig, BigInteger.Pow(10, -places)));
        double rounded = double.Parse($"{Numbers.RoundScaled(number, places)}E{-places}", System.Globalization.CultureInfo.InvariantCulture);
        return Value.Of(Math.CopySign(rounded, number));
    }

    private static BigInteger RoundInteger(BigInteger value, BigInteger unit)
    {
        BigInteger quotient = BigInteger.DivRem(BigInteger.Abs(value), unit, out BigInteger rest);
        int half = (rest * 2).CompareTo(unit);
        if (half > 0 || (half == 0 && !quotient.IsEven)) quotient++;
        return value.Sign * quotient * unit;
    }

    private static string FileSize(Value value, bool binary)
    {
        double bytes = value.IsNumber ? value.AsDouble : value.IsText && NumberText.TryParseFloat(value.Text, out double parsed) ? parsed : throw new TemplateException($"a {value.TypeName} is no size");
        double unit = binary ? 1024 : 1000;
        if (bytes == 1) return "1 Byte";
        if (bytes < unit) return NumberText.Repr(Numbers.Truncate(bytes)) + " Bytes";
        string prefixes = binary ? "KMGTPEZY" : "kMGTPEZY";
        double size = unit;
        int at = 0;
        for (; at < prefixes.Length - 1 && bytes >= size * unit; at++) size *= unit;
        return NumberText.Fixed(unit * bytes / (size * unit), 1) + " " + prefixes[at] + (binary ? "iB" : "B");
    }
}
