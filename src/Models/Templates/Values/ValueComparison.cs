namespace Inference.Models.Templates;

/// <summary>Equality, order and hashing as Python defines them: numbers compare across types (1 == 1.0 == true), compound values item by item.</summary>
internal static class ValueComparison
{
    /// <summary>Equality for the keys of a dictionary.</summary>
    public static IEqualityComparer<Value> Keys { get; } = new KeyComparer();

    public static bool AreEqual(Value left, Value right)
    {
        if (left.IsNumber && right.IsNumber) return Numbers.Compare(left, right) == 0;
        if (left.Kind != right.Kind) return false;
        return left.Kind switch
        {
            ValueKind.Text => left.Text == right.Text,
            ValueKind.List or ValueKind.Tuple => AreEqual(left.AsArray, right.AsArray),
            ValueKind.Dict => AreEqual(left.AsDict, right.AsDict),
            ValueKind.Object => ReferenceEquals(left.AsObject, right.AsObject) || (left.As<RangeValue>() is { } a && right.As<RangeValue>() is { } b && a.Items.SequenceEqual(b.Items, Keys)),
            _ => true,
        };
    }

    /// <summary>Below, at or above zero as <paramref name="left"/> comes before, with or after <paramref name="right"/>; null if a NaN has no place.</summary>
    /// <exception cref="TemplateException">There is no order between the two.</exception>
    public static int? Compare(Value left, Value right, string operation)
    {
        if (left.IsNumber && right.IsNumber) return Numbers.Compare(left, right);
        if (left.IsText && right.IsText) return CompareText(left.Text, right.Text);
        if (left.IsUndefined) throw left.UndefinedError();
        if (right.IsUndefined) throw right.UndefinedError();
        if (left.Kind != right.Kind || !left.IsArray) throw new TemplateException($"'{operation}' is not defined between a {left.TypeName} and a {right.TypeName}");
        Budget.Descend();
        Value[] a = left.AsArray, b = right.AsArray;
        for (int i = 0; i < Math.Min(a.Length, b.Length); i++)
            if (!AreEqual(a[i], b[i])) return Compare(a[i], b[i], operation);
        return a.Length.CompareTo(b.Length);
    }

    public static bool IsHashable(Value value) => value.Kind switch
    {
        ValueKind.List or ValueKind.Dict => false,
        ValueKind.Tuple => AllHashable(value.AsArray),
        _ => true,
    };

    public static void CheckHashable(Value value)
    {
        if (!IsHashable(value)) throw new TemplateException($"a {value.TypeName} cannot be a key");
    }

    private static bool AllHashable(Value[] items)
    {
        Budget.Descend();
        return Array.TrueForAll(items, IsHashable);
    }

    private static bool AreEqual(Value[] left, Value[] right)
    {
        if (left.Length != right.Length) return false;
        if (ReferenceEquals(left, right)) return true;
        Budget.Descend();
        for (int i = 0; i < left.Length; i++)
            if (!AreEqual(left[i], right[i])) return false;
        return true;
    }

    private static bool AreEqual(DictValue left, DictValue right)
    {
        if (left.Count != right.Count) return false;
        if (ReferenceEquals(left, right)) return true;
        Budget.Descend();
        for (int i = 0; i < left.Count; i++)
            if (!right.TryGet(left.Key(i), out Value other) || !AreEqual(left.ValueAt(i), other)) return false;
        return true;
    }

    /// <summary>By code point. UTF-16 units order the same except that surrogates stand below U+E000.</summary>
    private static int CompareText(string left, string right)
    {
        int at = left.AsSpan().CommonPrefixLength(right);
        if (at == left.Length || at == right.Length) return left.Length.CompareTo(right.Length);
        char a = left[at], b = right[at];
        return char.IsSurrogate(a) == char.IsSurrogate(b) ? a.CompareTo(b) : char.IsSurrogate(a) ? 1 : -1;
    }

    private sealed class KeyComparer : IEqualityComparer<Value>
    {
        public bool Equals(Value x, Value y) => AreEqual(x, y);

        public int GetHashCode(Value value)
        {
            switch (value.Kind)
            {
                case ValueKind.Text: return value.Text.GetHashCode(StringComparison.Ordinal);
                case ValueKind.Boolean or ValueKind.Integer or ValueKind.Float: return value.AsDouble.GetHashCode();
                case ValueKind.Object: return value.As<RangeValue>() is null ? System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(value.AsObject) : 1;
                case ValueKind.Tuple:
                    Budget.Descend();
                    var hash = new HashCode();
                    foreach (Value item in value.AsArray) hash.Add(GetHashCode(item));
                    return hash.ToHashCode();
                default:
                    CheckHashable(value);
                    return (int)value.Kind;
            }
        }
    }
}
