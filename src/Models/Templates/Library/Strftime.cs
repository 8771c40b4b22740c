using System.Globalization;

namespace Inference.Models.Templates;

/// <summary>The date and time as C's <c>strftime</c> writes them in the C locale.</summary>
internal static class Strftime
{
    /// <summary>The local time of the render's clock.</summary>
    public static Value Format(RenderState state, Value format)
    {
        DateTimeOffset now = state.Clock.GetLocalNow();
        string text = TextOperations.TextArgument(format, "the format of a time");
        TextBuilder builder = state.RentBuilder();
        for (int at = 0; at < text.Length; at++)
        {
            if (text[at] != '%' || at + 1 == text.Length)
            {
                builder.Append(format, at, 1);
                continue;
            }
            // glibc's flags: no padding, spaces, zeros.
            char flag = text[at + 1] is '-' or '_' or '0' && at + 2 < text.Length ? text[++at] : '\0';
            builder.Append(Pad(Field(now, text[++at]), flag));
        }
        return state.Finish(builder);
    }

    private static string Pad(string field, char flag)
    {
        if (flag == '\0' || field.Length < 2 || !field.All(char.IsAsciiDigit)) return field;
        string digits = field[..^1].TrimStart('0') + field[^1];
        return flag == '-' ? digits : digits.PadLeft(field.Length, flag == '_' ? ' ' : '0');
    }

    private static string Field(DateTimeOffset now, char letter) => letter switch
    {
        'Y' => Text(now, "yyyy"),
        'C' => Number(now.Year / 100, 2),
        'y' => Text(now, "yy"),
        'm' => Text(now, "MM"),
        'd' => Text(now, "dd"),
        'e' => now.Day.ToString(CultureInfo.InvariantCulture).PadLeft(2),
        'j' => Number(now.DayOfYear, 3),
        'H' => Text(now, "HH"),
        'I' => Text(now, "hh"),
        'k' => now.Hour.ToString(CultureInfo.InvariantCulture).PadLeft(2),
        'l' => Text(now, "%h").PadLeft(2),
        'M' => Text(now, "mm"),
        'S' => Text(now, "ss"),
        'f' => Text(now, "ffffff"),
        'p' => now.Hour < 12 ? "AM" : "PM",
        'P' => now.Hour < 12 ? "am" : "pm",
        'a' => Text(now, "ddd"),
        'A' => Text(now, "dddd"),
        'b' or 'h' => Text(now, "MMM"),
        'B' => Text(now, "MMMM"),
        'u' => Number(now.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)now.DayOfWeek, 1),
        'w' => Number((int)now.DayOfWeek, 1),
        'U' => Number((now.DayOfYear + 6 - (int)now.DayOfWeek) / 7, 2),
        'W' => Number((now.DayOfYear + 6 - ((int)now.DayOfWeek + 6) % 7) / 7, 2),
        'V' => Number(ISOWeek.GetWeekOfYear(now.DateTime), 2),
        'G' => Number(ISOWeek.GetYear(now.DateTime), 4),
        'F' => Text(now, "yyyy-MM-dd"),
        'T' or 'X' => Text(now, "HH:mm:ss"),
        'R' => Text(now, "HH:mm"),
        'r' => Text(now, "hh:mm:ss ") + Field(now, 'p'),
        'D' or 'x' => Text(now, "MM/dd/yy"),
        'c' => Text(now, "ddd MMM ") + Field(now, 'e') + Text(now, " HH:mm:ss yyyy"),
        's' => now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
        // The time is Python's datetime.now(), which has no zone.
        'z' or 'Z' => "",
        'n' => "\n",
        't' => "\t",
        '%' => "%",
        _ => "%" + letter,
    };

    private static string Text(DateTimeOffset now, string format) => now.ToString(format, CultureInfo.InvariantCulture);

    private static string Number(int value, int digits) => value.ToString("D" + digits.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
