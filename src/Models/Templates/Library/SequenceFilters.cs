namespace Inference.Models.Templates;

/// <summary>Filters over the items of a value.</summary>
internal static class SequenceFilters
{
    public static IEnumerable<NativeFunction> Create()
    {
        yield return NativeFunction.Bound("length", "", Length);
        yield return NativeFunction.Bound("count", "", Length);
        yield return NativeFunction.Bound("list", "", (state, value, a) => Value.List(Sequences.ToArray(state, value)));
        yield return NativeFunction.Bound("first", "", (state, value, a) => First(value));
        yield return NativeFunction.Bound("last", "", Last);
        yield return NativeFunction.Bound("random", "", (state, value, a) => Sequences.ToArray(state, value) is { Length: > 0 } items ? items[Random.Shared.Next(items.Length)] : Value.UndefinedBecause("there is no item to choose"));
        yield return NativeFunction.Bound("reverse", "", Reverse);
        yield return NativeFunction.Bound("items", "", Items);
        yield return NativeFunction.Bound("join", "d=none, attribute=none", Join);
        yield return NativeFunction.Bound("batch", "linecount, fill_with=none", (state, value, a) => Lazy(Batch(state, value, Sequences.Index(a[0], "linecount"), a[1])));
        yield return NativeFunction.Bound("slice", "slices, fill_with=none", (state, value, a) => Lazy(Slice(state, value, Sequences.Index(a[0], "slices"), a[1])));
        yield return NativeFunction.Bound("unique", "case_sensitive=false, attribute=none", (state, value, a) => Lazy(Unique(state, value, new ItemKey(a[1], a[0].IsTrue))));
        yield return NativeFunction.Bound("sum", "attribute=none, start=0", Sum);
        yield return NativeFunction.Bound("min", "case_sensitive=false, attribute=none", (state, value, a) => Extreme(state, value, new ItemKey(a[1], a[0].IsTrue), sign: -1));
        yield return NativeFunction.Bound("max", "case_sensitive=false, attribute=none", (state, value, a) => Extreme(state, value, new ItemKey(a[1], a[0].IsTrue), sign: 1));
        yield return NativeFunction.Bound("sort", "reverse=false, case_sensitive=false, attribute=none", Sort);
        yield return NativeFunction.Bound("dictsort", "case_sensitive=false, by=key, reverse=false", SortDict);
        yield return NativeFunction.Bound("groupby", "attribute, default=none, case_sensitive=false", GroupBy);
    }

    public static Value Lazy(IEnumerable<Value> items) => Value.Of(new LazySequence(items));

    private static Value Length(RenderState state, Value value, Value[] a) =>
        Sequences.Length(value) is { } length ? Value.Of(length) : throw new TemplateException($"a {value.TypeName} has no length");

    private static Value First(Value value)
    {
        foreach (Value item in Sequences.Enumerate(value)) return item;
        return Value.UndefinedBecause("there is no first item");
    }

    private static Value Last(RenderState state, Value value, Value[] a)
    {
        if (value.As<LazySequence>() is not null) throw new TemplateException("a generator has no last item");
        Value[] items = Sequences.ToArray(state, value);
        return items.Length > 0 ? items[^1] : Value.UndefinedBecause("there is no last item");
    }

    private static Value Reverse(RenderState state, Value value, Value[] a)
    {
        if (value.IsText) return Slices.Of(state, value, Value.None, Value.None, Value.Of(-1L));
        Value[] items = Sequences.ToArray(state, value);
        state.Budget.ChargeItems(items.Length);
        items = [.. items.AsEnumerable().Reverse()];
        return value.As<LazySequence>() is null ? Lazy(items) : Value.List(items);
    }

    private static Value Items(RenderState state, Value value, Value[] a) => Lazy(Pairs(value));

    private static IEnumerable<Value> Pairs(Value value)
    {
        // Inside, since Jinja too finds out only when the pairs are asked for.
        if (value.IsUndefined) yield break;
        if (value.Kind != ValueKind.Dict) throw new TemplateException($"items needs a dict, not a {value.TypeName}");
        for (int i = 0; i < value.AsDict.Count; i++) yield return value.AsDict.Item(i);
    }

    private static Value Join(RenderState state, Value value, Value[] a)
    {
        IEnumerable<Value> items = Sequences.Enumerate(value);
        if (!a[1].IsNone) items = items.Select(new ItemKey(a[1], caseSensitive: true).Of);
        return TextOperations.Join(state, a[0].IsNone ? Value.Empty : ValuePrinter.Str(state, a[0]), items, textOnly: false);
    }

    private static IEnumerable<Value> Batch(RenderState state, Value value, int size, Value fill)
    {
        var row = new List<Value>();
        foreach (Value item in Sequences.Enumerate(value))
        {
            state.Budget.ChargeItems();
            if (row.Count == size)
            {
                yield return Value.List([.. row]);
                row.Clear();
            }
            row.Add(item);
        }
        if (row.Count == 0) yield break;
        if (!fill.IsNone && row.Count < size)
        {
            state.Budget.ChargeItems(size - row.Count);
            while (row.Count < size) row.Add(fill);
        }
        yield return Value.List([.. row]);
    }

    private static IEnumerable<Value> Slice(RenderState state, Value value, int slices, Value fill)
    {
        Value[] items = Sequences.ToArray(state, value);
        if (slices == 0) throw new TemplateException("slice needs at least one column");
        int each = items.Length / slices, more = items.Length % slices, at = 0;
        for (int i = 0; i < slices; i++)
        {
            int size = each + (i < more ? 1 : 0);
            state.Budget.ChargeItems(size + 1);
            Value[] column = items[at..(at + size)];
            yield return Value.List(!fill.IsNone && i >= more ? [.. column, fill] : column);
            at += size;
        }
    }

    private static IEnumerable<Value> Unique(RenderState state, Value value, ItemKey key)
    {
        var seen = new HashSet<Value>(ValueComparison.Keys);
        foreach (Value item in Sequences.Enumerate(value))
        {
            state.Budget.ChargeItems();
            Value itemKey = key.Of(item);
            ValueComparison.CheckHashable(itemKey);
            if (seen.Add(itemKey)) yield return item;
        }
    }

    private static Value Sum(RenderState state, Value value, Value[] a)
    {
        var key = new ItemKey(a[0], caseSensitive: true);
        Value sum = a[1];
        if (sum.IsText) throw new TemplateException("sum does not join strings");
        foreach (Value item in Sequences.Enumerate(value))
        {
            state.Budget.ChargeItems();
            sum = Operators.Add(state, sum, key.Of(item));
        }
        return sum;
    }

    private static Value Extreme(RenderState state, Value value, ItemKey key, int sign)
    {
        Value[] items = Sequences.ToArray(state, value);
        if (items.Length == 0) return Value.UndefinedBecause("there is no item to compare");
        (Value best, Value bestKey) = (items[0], key.Of(items[0]));
        foreach (Value item in items.AsSpan(1))
        {
            state.Budget.ChargeItems();
            Value itemKey = key.Of(item);
            if (Math.Sign(ValueComparison.Compare(itemKey, bestKey, sign < 0 ? "<" : ">") ?? 0) == sign) (best, bestKey) = (item, itemKey);
        }
        return best;
    }

    private static Value Sort(RenderState state, Value value, Value[] a) =>
        Value.List(Sorted(state, Sequences.ToArray(state, value), new ItemKey(a[2], a[1].IsTrue).AllOf, a[0].IsTrue));

    private static Value SortDict(RenderState state, Value value, Value[] a)
    {
        if (value.Kind != ValueKind.Dict) throw value.IsUndefined ? value.UndefinedError() : new TemplateException($"dictsort needs a dict, not a {value.TypeName}");
        string by = TextOperations.TextArgument(a[1], "by");
        if (by is not ("key" or "value")) throw new TemplateException("by must be key or value");
        var key = new ItemKey(Value.Of(by == "key" ? 0L : 1L), a[0].IsTrue);
        return Value.List(Sorted(state, [.. new DictView(value.AsDict, DictView.Part.Items).Items], key.Of, a[2].IsTrue));
    }

    private static Value GroupBy(RenderState state, Value value, Value[] a)
    {
        ItemKey key = new(a[0], a[2].IsTrue, a[1]), shown = new(a[0], caseSensitive: true, a[1]);
        Value[] items = Sorted(state, Sequences.ToArray(state, value), key.Of, backwards: false);
        var groups = new List<Value>();
        for (int start = 0, end; start < items.Length; start = end)
        {
            Value groupKey = key.Of(items[start]);
            for (end = start + 1; end < items.Length && ValueComparison.AreEqual(key.Of(items[end]), groupKey);) end++;
            groups.Add(Value.Group(shown.Of(items[start]), items[start..end]));
        }
        return Value.List([.. groups]);
    }

    /// <summary>In order of their keys; equal ones keep their order, also backwards.</summary>
    private static Value[] Sorted(RenderState state, Value[] items, Func<Value, Value> key, bool backwards)
    {
        var keyed = new (Value Key, Value Item)[items.Length];
        for (int i = 0; i < items.Length; i++) keyed[i] = (key(items[i]), items[i]);
        StableSort.Sort(keyed.AsSpan(), (x, y) =>
        {
            state.Budget.ChargeItems();
            return (backwards ? -1 : 1) * (ValueComparison.Compare(x.Key, y.Key, "<") ?? 0);
        });
        return Array.ConvertAll(keyed, pair => pair.Item);
    }
}
