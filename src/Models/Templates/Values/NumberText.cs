using System.Globalization;
using System.Numerics;

namespace Inference.Models.Templates;

/// <summary>Numbers as Python writes and reads them.</summary>
internal static class NumberText
{
    /// <summary>Python's <c>repr</c> of a number.</summary>
    public static string Repr(Value value) => value.Kind switch
    {
        ValueKind.Boolean => value.AsBoolean ? "True" : "False",
        ValueKind.Float => Repr(value.AsDouble),
        _ => value.IsBig ? value.AsBig.ToString(CultureInfo.InvariantCulture) : value.AsLong.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>The shortest decimal that reads back as the same number; with an exponent below 1e-4 and from 1e16.</summary>
    public static string Repr(double value)
    {
        if (double.IsNaN(value)) return "nan";
        if (double.IsInfinity(value)) return value > 0 ? "inf" : "-inf";
        (string digits, int exponent) = Digits(value.ToString("R", CultureInfo.InvariantCulture));
        string sign = double.IsNegative(value) ? "-" : "";
        if (exponent is < -4 or >= 16) return sign + digits[0] + (digits.Length > 1 ? "." + digits[1..] : "") + Exponent('e', exponent);
        if (exponent < 0) return sign + "0." + new string('0', -exponent - 1) + digits;
        return exponent + 1 >= digits.Length ? sign + digits.PadRight(exponent + 1, '0') + ".0" : sign + digits[..(exponent + 1)] + "." + digits[(exponent + 1)..];
    }

    public static string Exponent(char letter, int exponent) => string.Create(CultureInfo.InvariantCulture, $"{letter}{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");

    /// <summary>A finite number with a fixed count of places behind the point.</summary>
    public static string Fixed(double value, int places)
    {
        string digits = BigInteger.Abs(Numbers.RoundScaled(value, places)).ToString(CultureInfo.InvariantCulture).PadLeft(places + 1, '0');
        string text = places == 0 ? digits : digits[..^places] + "." + digits[^places..];
        return double.IsNegative(value) ? "-" + text : text;
    }

    /// <summary>Python's <c>int(text, base)</c>; base 0 takes it from the prefix.</summary>
    public static bool TryParseInteger(string text, int radix, out BigInteger value)
    {
        value = BigInteger.Zero;
        ReadOnlySpan<char> rest = text.AsSpan().Trim();
        bool negative = rest.StartsWith("-");
        if (negative || rest.StartsWith("+")) rest = rest[1..];
        if (rest.Length > 1 && rest[0] == '0' && PrefixRadix(rest[1]) is var prefix && prefix != 0 && (radix == prefix || radix == 0))
        {
            radix = prefix;
            rest = rest[2..];
            if (rest.StartsWith("_")) rest = rest[1..];
        }
        if (radix == 0) radix = 10;
        if (rest.IsEmpty || rest.Length > 4096 || rest[0] == '_' || rest[^1] == '_' || rest.Contains("__", StringComparison.Ordinal)) return false;
        foreach (char character in rest)
        {
            if (character == '_') continue;
            int digit = char.IsDigit(character) ? (int)char.GetNumericValue(character) : char.IsAsciiLetter(character) ? (character | 0x20) - 'a' + 10 : 99;
            if (digit >= radix) return false;
            value = value * radix + digit;
        }
        if (negative) value = -value;
        return true;
    }

    /// <summary>Python's <c>float(text)</c>.</summary>
    public static bool TryParseFloat(string text, out double value)
    {
        string plain = text.Trim();
        value = plain.TrimStart('+', '-').ToLowerInvariant() switch { "inf" or "infinity" => double.PositiveInfinity, "nan" => double.NaN, _ => 0 };
        if (value != 0)
        {
            if (plain[0] == '-') value = -value;
            return plain.Length - plain.TrimStart('+', '-').Length <= 1;
        }
        if (plain.Contains('_'))
        {
            for (int i = 0; i < plain.Length; i++)
                if (plain[i] == '_' && !(i > 0 && i + 1 < plain.Length && char.IsAsciiDigit(plain[i - 1]) && char.IsAsciiDigit(plain[i + 1]))) return false;
            plain = plain.Replace("_", "", StringComparison.Ordinal);
        }
        return plain.Length > 0 && (char.IsAsciiDigit(plain[^1]) || plain[^1] == '.') && double.TryParse(plain, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out value);
    }

    private static int PrefixRadix(char letter) => (letter | 0x20) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 0 };

    /// <summary>The digits of a number without leading and trailing zeros, and the decimal exponent of the first.</summary>
    private static (string Digits, int Exponent) Digits(string text)
    {
        text = text.TrimStart('-');
        int e = text.IndexOf('E');
        int exponent = e < 0 ? 0 : int.Parse(text.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        string mantissa = e < 0 ? text : text[..e];
        int point = mantissa.IndexOf('.');
        int whole = point < 0 ? mantissa.Length : point;
        string all = point < 0 ? mantissa : mantissa.Remove(point, 1);
        string digits = all.TrimStart('0');
        exponent += whole - 1 - (all.Length - digits.Length);
        digits = digits.TrimEnd('0');
        return digits.Length == 0 ? ("0", 0) : (digits, exponent);
    }
}
