using System.Globalization;

namespace Inference.Models.Templates;

/// <summary>Iteration, length, membership and indexing, the same for every kind of value.</summary>
internal static class Sequences
{
    /// <exception cref="TemplateException">The value is nothing to iterate over.</exception>
    public static IEnumerable<Value> Enumerate(Value value) => TryEnumerate(value) ?? throw new TemplateException($"a {value.TypeName} is not iterable");

    /// <summary>The items: characters of a text, keys of a dictionary, none of what is undefined. Null where the value is not iterable.</summary>
    public static IEnumerable<Value>? TryEnumerate(Value value) => value.Kind switch
    {
        ValueKind.List or ValueKind.Tuple => value.AsArray,
        ValueKind.Undefined => [],
        ValueKind.Text => Characters(value),
        ValueKind.Dict => new DictView(value.AsDict, DictView.Part.Keys).Items,
        ValueKind.Object => value.AsObject.Items,
        _ => null,
    };

    /// <summary>All items at once.</summary>
    public static Value[] ToArray(RenderState state, Value value)
    {
        if (value.IsArray) return value.AsArray;
        var items = new List<Value>();
        foreach (Value item in Enumerate(value))
        {
            state.Budget.ChargeItems();
            items.Add(item);
        }
        return [.. items];
    }

    /// <summary>Python's <c>len</c>, or null where the value has no length.</summary>
    public static long? Length(Value value) => value.Kind switch
    {
        ValueKind.Undefined => 0,
        ValueKind.Text => CodePoints.Count(value.Text),
        ValueKind.List or ValueKind.Tuple => value.AsArray.Length,
        ValueKind.Dict => value.AsDict.Count,
        ValueKind.Object => value.AsObject.Length,
        _ => null,
    };

    /// <summary>The operator <c>in</c>.</summary>
    public static bool Contains(RenderState state, Value container, Value item)
    {
        switch (container.Kind)
        {
            case ValueKind.Text:
                if (!item.IsText) throw new TemplateException($"'in' a string needs a string on the left, not a {item.TypeName}");
                state.Budget.ChargeSearch(container.Text.Length);
                return container.Text.Contains(item.Text, StringComparison.Ordinal);
            case ValueKind.Dict:
                return container.AsDict.Find(item) >= 0;
            case ValueKind.Object when container.As<RangeValue>() is { } range:
                return range.Contains(item);
            default:
                foreach (Value candidate in Enumerate(container))
                {
                    state.Budget.ChargeItems();
                    if (ValueComparison.AreEqual(candidate, item)) return true;
                }
                return false;
        }
    }

    /// <summary>What stands at a key or position: <c>value[key]</c> without attributes.</summary>
    public static bool TryGetItem(Value value, Value key, out Value item)
    {
        item = default;
        switch (value.Kind)
        {
            case ValueKind.Dict:
                return ValueComparison.IsHashable(key) && value.AsDict.TryGet(key, out item);
            case ValueKind.List or ValueKind.Tuple:
                if (!TryPosition(key, value.AsArray.Length, out int position)) return false;
                item = value.AsArray[position];
                return true;
            case ValueKind.Text:
                if (!TryPosition(key, CodePoints.Count(value.Text), out position)) return false;
                int start = CodePoints.Offset(value.Text, position);
                item = value.Slice(start, CodePoints.Width(value.Text, start));
                return true;
            case ValueKind.Object:
                return value.AsObject.TryGetItem(key, out item);
            default:
                return false;
        }
    }

    private static bool TryPosition(Value key, int length, out int position)
    {
        position = 0;
        if (!key.IsIntegral || key.IsBig) return false;
        long at = key.AsLong < 0 ? key.AsLong + length : key.AsLong;
        position = (int)at;
        return at >= 0 && at < length;
    }

    private static IEnumerable<Value> Characters(Value value)
    {
        string text = value.Text;
        for (int i = 0, width; i < text.Length; i += width)
        {
            width = CodePoints.Width(text, i);
            yield return value.Slice(i, width).AsPlain();
        }
    }

    /// <summary>An integer argument or index of 32 bits.</summary>
    public static int Index(Value value, string what)
    {
        if (!value.IsIntegral) throw new TemplateException($"{what} must be an integer, not a {value.TypeName}");
        return !value.IsBig && value.AsLong is >= int.MinValue and <= int.MaxValue ? (int)value.AsLong
            : throw new TemplateException(string.Create(CultureInfo.InvariantCulture, $"{what} is out of range: {value.AsBig}"));
    }
}
