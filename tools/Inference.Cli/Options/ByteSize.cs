using System.Globalization;

namespace Inference.Cli;

/// <summary>Sizes in bytes: <c>4096</c>, <c>512M</c>, <c>1.5G</c>, <c>2GiB</c>. K, M, G and T are powers of 1024.</summary>
internal static class ByteSize
{
    private const string Units = "KMGT";

    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        ReadOnlySpan<char> rest = text.AsSpan().Trim();
        if (rest.EndsWith("iB", StringComparison.OrdinalIgnoreCase)) rest = rest[..^2];
        else if (rest.EndsWith("B", StringComparison.OrdinalIgnoreCase)) rest = rest[..^1];
        double factor = 1;
        if (!rest.IsEmpty && Units.IndexOf(char.ToUpperInvariant(rest[^1])) is >= 0 and var unit)
        {
            factor = Math.Pow(1024, unit + 1);
            rest = rest[..^1];
        }
        if (!double.TryParse(rest, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)) return false;
        double size = number * factor;
        if (!(size >= 0 && size < long.MaxValue) || size != Math.Floor(size) && factor == 1) return false;
        bytes = (long)size;
        return true;
    }

    /// <summary>For people: three digits and a binary unit.</summary>
    public static string Format(long bytes)
    {
        double value = bytes;
        int unit = -1;
        while (value >= 1024 && unit < Units.Length - 1)
        {
            value /= 1024;
            unit++;
        }
        return unit < 0 ? $"{bytes} B" : string.Create(CultureInfo.InvariantCulture, $"{value.ToString(value < 10 ? "F2" : value < 100 ? "F1" : "F0", CultureInfo.InvariantCulture)} {Units[unit]}iB");
    }
}
