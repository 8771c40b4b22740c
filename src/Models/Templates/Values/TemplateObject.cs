namespace Inference.Models.Templates;

/// <summary>
/// A value with behaviour of its own: functions, ranges, lazy sequences, namespaces. Templates see only what these members hand out; no .NET object is ever
/// looked into.
/// </summary>
internal abstract class TemplateObject
{
    /// <summary>Python's name of the type, for messages.</summary>
    public abstract string TypeName { get; }

    public virtual bool IsCallable => false;

    /// <summary>Number of items, or null where there is no such thing.</summary>
    public virtual long? Length => null;

    /// <summary>Items, or null where it has none to give.</summary>
    public virtual IEnumerable<Value>? Items => null;

    /// <summary>Whether items are found by position.</summary>
    public virtual bool IsSequence => false;

    public virtual bool TryGetAttribute(string name, out Value value)
    {
        value = default;
        return false;
    }

    public virtual bool TryGetItem(Value key, out Value value)
    {
        value = default;
        return false;
    }

    /// <exception cref="TemplateException">It cannot be called, or not with these arguments.</exception>
    public virtual Value Call(RenderState state, in Arguments arguments) => throw new TemplateException($"a {TypeName} cannot be called");

    /// <summary>As Python prints it.</summary>
    public virtual void Print(TextBuilder to) => to.Append($"<{TypeName} object>");
}

/// <summary>Items that are made when they are asked for, once. What filters such as <c>map</c> and <c>selectattr</c> return.</summary>
internal sealed class LazySequence(IEnumerable<Value> source) : TemplateObject
{
    private IEnumerator<Value>? cursor;

    public override string TypeName => "generator";

    public override IEnumerable<Value> Items
    {
        get
        {
            cursor ??= source.GetEnumerator();
            while (MoveNext()) yield return cursor.Current;
        }
    }

    // Lazy sequences over lazy sequences nest as deeply as a template likes.
    private bool MoveNext()
    {
        Budget.Descend();
        return cursor!.MoveNext();
    }
}

/// <summary>Keys, values or pairs of a dictionary.</summary>
internal sealed class DictView(DictValue dict, DictView.Part part) : TemplateObject
{
    public enum Part
    {
        Keys,
        Values,
        Items,
    }

    public override string TypeName => part switch { Part.Keys => "dict_keys", Part.Values => "dict_values", _ => "dict_items" };

    public override long? Length => dict.Count;

    public override IEnumerable<Value> Items => Enumerable.Range(0, dict.Count).Select(At);

    public override void Print(TextBuilder to)
    {
        to.Append(TypeName).Append('(');
        ValuePrinter.PrintItems(to, [.. Items], '[', ']');
        to.Append(')');
    }

    private Value At(int position) => part switch { Part.Keys => dict.Key(position), Part.Values => dict.ValueAt(position), _ => dict.Item(position) };
}

/// <summary>Integers at equal steps.</summary>
internal sealed class RangeValue(long start, long stop, long step) : TemplateObject
{
    private readonly long count = Count(start, stop, step);

    public override string TypeName => "range";

    public override long? Length => count;

    public override bool IsSequence => true;

    public override IEnumerable<Value> Items
    {
        get
        {
            for (long i = 0; i < count; i++) yield return At(i);
        }
    }

    public override bool TryGetItem(Value key, out Value value)
    {
        value = default;
        if (!key.IsIntegral || key.IsBig) return false;
        long position = key.AsLong < 0 ? key.AsLong + count : key.AsLong;
        if (position < 0 || position >= count) return false;
        value = At(position);
        return true;
    }

    public bool Contains(Value item)
    {
        if (!item.IsNumber || item.IsBig) return false;
        double number = item.AsDouble;
        return count > 0 && number == Math.Floor(number) && (step > 0 ? number >= start && number < stop : number <= start && number > stop) && (number - start) % step == 0;
    }

    public Value Slice(long first, long last, long stride) => Value.Of(new RangeValue(start + first * step, start + last * step, step * stride));

    public override void Print(TextBuilder to) => to.Append(step == 1 ? $"range({start}, {stop})" : $"range({start}, {stop}, {step})");

    private Value At(long position) => Value.Of(start + position * step);

    private static long Count(long start, long stop, long step)
    {
        Int128 span = step > 0 ? (Int128)stop - start : (Int128)start - stop;
        Int128 stride = Int128.Abs(step);
        Int128 count = span <= 0 ? 0 : (span + stride - 1) / stride;
        return count <= Budget.MaxRange ? (long)count : throw new TemplateException($"a range has more than {Budget.MaxRange:N0} items");
    }
}

/// <summary>What <c>namespace()</c> makes: the one thing that a template can assign to from inside a loop.</summary>
internal sealed class NamespaceValue : TemplateObject
{
    private readonly Dictionary<string, Value> attributes = new(StringComparer.Ordinal);

    public override string TypeName => "Namespace";

    public void Set(string name, Value value) => attributes[name] = value;

    public override bool TryGetAttribute(string name, out Value value) => attributes.TryGetValue(name, out value);

    public override bool TryGetItem(Value key, out Value value)
    {
        value = default;
        return key.IsText && attributes.TryGetValue(key.Text, out value);
    }

    public override void Print(TextBuilder to)
    {
        var dict = new DictValue(attributes.Count);
        foreach ((string name, Value value) in attributes) dict.Set(Value.Of(name), value);
        to.Append("<Namespace ");
        ValuePrinter.Repr(to, Value.Dict(dict));
        to.Append('>');
    }
}
