namespace Inference.Models.Templates;

/// <summary>The methods of Python's lists, tuples, dictionaries and numbers that change nothing.</summary>
internal static class CollectionMethods
{
    private static readonly Dictionary<string, NativeFunction> OfDict = Table(
        NativeFunction.Bound("get", "key, default=none", (state, dict, a) => dict.AsDict.TryGet(a[0], out Value value) ? value : a[1]),
        NativeFunction.Bound("items", "", (state, dict, a) => Value.Of(new DictView(dict.AsDict, DictView.Part.Items))),
        NativeFunction.Bound("keys", "", (state, dict, a) => Value.Of(new DictView(dict.AsDict, DictView.Part.Keys))),
        NativeFunction.Bound("values", "", (state, dict, a) => Value.Of(new DictView(dict.AsDict, DictView.Part.Values))),
        NativeFunction.Bound("copy", "", (state, dict, a) => dict));

    private static readonly NativeFunction Copy = NativeFunction.Bound("copy", "", (state, list, a) => list);

    private static readonly Dictionary<string, NativeFunction> OfArray = Table(
        NativeFunction.Bound("count", "value", Count),
        NativeFunction.Bound("index", "value, start=0, stop=none", Index));

    private static readonly Dictionary<string, NativeFunction> OfNumber = Table(
        NativeFunction.Bound("bit_length", "", (state, number, a) => Value.Of((long)System.Numerics.BigInteger.Abs(number.AsBig).GetBitLength())),
        NativeFunction.Bound("is_integer", "", (state, number, a) => Value.Of(number.Kind != ValueKind.Float || Math.Floor(number.AsDouble) == number.AsDouble)));

    private static readonly string[] ChangeLists = ["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"];

    private static readonly string[] ChangeDicts = ["clear", "pop", "popitem", "setdefault", "update"];

    public static NativeFunction? FindOfDict(string name) => OfDict.GetValueOrDefault(name);

    public static NativeFunction? FindOfList(string name) => name == "copy" ? Copy : OfArray.GetValueOrDefault(name);

    public static NativeFunction? FindOfTuple(string name) => OfArray.GetValueOrDefault(name);

    public static NativeFunction? FindOfNumber(string name, ValueKind kind) => name == "bit_length" && kind == ValueKind.Float ? null : OfNumber.GetValueOrDefault(name);

    /// <summary>Whether Python has a method of that name that changes the value; Jinja's sandbox bars them.</summary>
    public static bool Changes(ValueKind kind, string name) => kind switch
    {
        ValueKind.List => ChangeLists.Contains(name),
        ValueKind.Dict => ChangeDicts.Contains(name),
        _ => false,
    };

    private static Dictionary<string, NativeFunction> Table(params NativeFunction[] methods) => methods.ToDictionary(method => method.Name, StringComparer.Ordinal);

    private static Value Count(RenderState state, Value list, Value[] a)
    {
        state.Budget.ChargeItems(list.AsArray.Length);
        return Value.Of(list.AsArray.LongCount(item => ValueComparison.AreEqual(item, a[0])));
    }

    private static Value Index(RenderState state, Value list, Value[] a)
    {
        Value[] items = list.AsArray;
        state.Budget.ChargeItems(items.Length);
        int start = Bound(a[1], 0), stop = Bound(a[2], items.Length);
        int at = start < stop ? Array.FindIndex(items, start, stop - start, item => ValueComparison.AreEqual(item, a[0])) : -1;
        return at >= 0 ? Value.Of((long)at) : throw new TemplateException("the value is not in the list");

        int Bound(Value value, int missing)
        {
            if (value.IsNone) return missing;
            int bound = Sequences.Index(value, "a position");
            return Math.Clamp(bound < 0 ? bound + items.Length : bound, 0, items.Length);
        }
    }
}
