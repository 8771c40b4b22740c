namespace Inference.Models;

/// <summary>What values a number may take.</summary>
internal enum NumberKind
{
    /// <summary>An integer from 1 to 2^31 - 1.</summary>
    Count,

    /// <summary>An integer from 0 to 2^31 - 1.</summary>
    CountOrZero,

    /// <summary>A finite number above 0.</summary>
    Real,

    /// <summary>A bool, as 0 or 1.</summary>
    Flag,
}

/// <summary>One number of an architecture: the metadata key behind the architecture's name, and what holds when it is absent.</summary>
/// <param name="Key">Key without its prefix, for example <c>attention.head_count</c>.</param>
/// <param name="Kind">Values it may take.</param>
/// <param name="Fallback">Value of an absent key, from the numbers before it; null: the key is required.</param>
/// <param name="Only">The one value that the decoder can compute with; null: any.</param>
internal sealed record NumberRule(string Key, NumberKind Kind, Func<Numbers, double>? Fallback = null, double? Only = null)
{
    public static NumberRule Required(string key, NumberKind kind = NumberKind.Count) => new(key, kind);
    public static NumberRule Default(string key, Func<Numbers, double> value, NumberKind kind = NumberKind.Count) => new(key, kind, value);

    /// <summary>A feature the decoder lacks: absent, or switched off.</summary>
    public static NumberRule MustEqual(string key, double value, NumberKind kind) => new(key, kind, _ => value, value);

    public double Read(ModelFile file, string architecture, Numbers before)
    {
        string key = $"{architecture}.{Key}";
        double value;
        if (Kind == NumberKind.Flag) value = file.TryGetBool(key, out bool flag) ? flag ? 1 : 0 : Absent(file, key, before);
        else if (!file.TryGetNumber(key, out value)) value = Absent(file, key, before);
        string expected = Kind switch
        {
            NumberKind.Real => "a finite number above 0",
            NumberKind.Count => "an integer from 1 to 2147483647",
            _ => "an integer from 0 to 2147483647",
        };
        bool inRange = Kind == NumberKind.Real ? double.IsFinite(value) && value > 0 : value == Math.Floor(value) && value is >= 0 and <= int.MaxValue && (value > 0 || Kind != NumberKind.Count);
        if (!inRange) throw file.Error(key, expected, $"{value}");
        if (Only is double only && value != only) throw file.Error(key, $"{only}: this build has no decoder for anything else", $"{value}");
        return value;
    }

    private double Absent(ModelFile file, string key, Numbers before) => Fallback?.Invoke(before) ?? throw file.Error(key, "number", "no such key");
}

/// <summary>An architecture's numbers as read from one file, by key.</summary>
internal sealed class Numbers
{
    private readonly Dictionary<string, double> values = [];

    private Numbers() { }

    /// <exception cref="ModelFormatException">A number is missing, of another type, out of range, or not the one the decoder needs.</exception>
    public static Numbers Read(ModelFile file, Architecture architecture)
    {
        var numbers = new Numbers();
        foreach (NumberRule rule in architecture.Numbers) numbers.values[rule.Key] = rule.Read(file, architecture.Name, numbers);
        return numbers;
    }

    public double this[string key] => values[key];

    public int Count(string key) => (int)values[key];
}
