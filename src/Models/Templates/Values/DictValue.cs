using System.Diagnostics.CodeAnalysis;

namespace Inference.Models.Templates;

/// <summary>A dictionary in order of insertion. Filled once by who makes it; templates cannot change it.</summary>
internal sealed class DictValue
{
    /// <summary>Up to here, looking at every key is quicker than hashing; messages have two to five.</summary>
    private const int LongestScan = 8;

    private Value[] keys;
    private Value[] values;
    private Dictionary<Value, int>? index;

    public DictValue(int capacity = 4) => (keys, values) = (new Value[capacity], new Value[capacity]);

    public int Count { get; private set; }

    public ReadOnlySpan<Value> Keys => keys.AsSpan(0, Count);

    public ReadOnlySpan<Value> Values => values.AsSpan(0, Count);

    public Value Key(int position) => keys[position];

    public Value ValueAt(int position) => values[position];

    public Value Item(int position) => Value.Tuple(keys[position], values[position]);

    /// <exception cref="TemplateException">The key is a list or a dictionary.</exception>
    public void Set(Value key, Value value)
    {
        if (Find(key) is >= 0 and var at)
        {
            values[at] = value;
            return;
        }
        if (Count == keys.Length)
        {
            Array.Resize(ref keys, Math.Max(4, Count * 2));
            Array.Resize(ref values, keys.Length);
        }
        (keys[Count], values[Count]) = (key, value);
        index?.Add(key, Count);
        Count++;
    }

    public bool TryGet(Value key, [MaybeNullWhen(false)] out Value value)
    {
        int at = Find(key);
        value = at >= 0 ? values[at] : default;
        return at >= 0;
    }

    public bool TryGet(string key, [MaybeNullWhen(false)] out Value value)
    {
        if (Count > LongestScan) return TryGet(Value.Of(key), out value);
        for (int i = 0; i < Count; i++)
        {
            if (!keys[i].IsText || keys[i].Text != key) continue;
            value = values[i];
            return true;
        }
        value = default;
        return false;
    }

    /// <exception cref="TemplateException">The key is a list or a dictionary.</exception>
    public int Find(Value key)
    {
        if (Count > LongestScan)
        {
            if (index is null)
            {
                index = new Dictionary<Value, int>(Count * 2, ValueComparison.Keys);
                for (int i = 0; i < Count; i++) index.Add(keys[i], i);
            }
            return index.TryGetValue(key, out int found) ? found : -1;
        }
        ValueComparison.CheckHashable(key);
        for (int i = 0; i < Count; i++)
            if (ValueComparison.AreEqual(keys[i], key)) return i;
        return -1;
    }
}
