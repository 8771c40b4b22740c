namespace Inference.Models.Templates;

/// <summary>Python counts characters, .NET counts UTF-16 units: the two differ above U+FFFF. All offsets here are in units, all counts and positions in characters.</summary>
internal static class CodePoints
{
    public static int Count(ReadOnlySpan<char> text)
    {
        int count = text.Length;
        int at = text.IndexOfAnyInRange('\uD800', '\uDBFF');
        if (at < 0) return count;
        for (int i = at; i < text.Length - 1; i++)
        {
            if (!char.IsSurrogatePair(text[i], text[i + 1])) continue;
            count--;
            i++;
        }
        return count;
    }

    /// <summary>Units of the character that starts at an offset.</summary>
    public static int Width(ReadOnlySpan<char> text, int offset) => offset + 1 < text.Length && char.IsSurrogatePair(text[offset], text[offset + 1]) ? 2 : 1;

    /// <summary>Where the character at a position starts; the text's length for a position at its end.</summary>
    public static int Offset(ReadOnlySpan<char> text, int position)
    {
        if (text.IndexOfAnyInRange('\uD800', '\uDBFF') is var first && (first < 0 || position <= first)) return position;
        int offset = first;
        for (int at = first; at < position; at++) offset += Width(text, offset);
        return offset;
    }

    /// <summary>The character at an offset; an unpaired surrogate stands for itself.</summary>
    public static int At(ReadOnlySpan<char> text, int offset) => Width(text, offset) == 2 ? char.ConvertToUtf32(text[offset], text[offset + 1]) : text[offset];

    /// <summary>What Python takes for white space.</summary>
    public static bool IsSpace(char character) => char.IsWhiteSpace(character) || character is >= '\u001C' and <= '\u001F';

    /// <summary>Whether Python prints the character as it is inside quotes.</summary>
    public static bool IsPrintable(int character) => character == ' ' || (character is < 0xD800 or > 0xDFFF && System.Globalization.CharUnicodeInfo.GetUnicodeCategory(character) is not (
        System.Globalization.UnicodeCategory.Control or System.Globalization.UnicodeCategory.Format or System.Globalization.UnicodeCategory.PrivateUse
        or System.Globalization.UnicodeCategory.OtherNotAssigned or System.Globalization.UnicodeCategory.LineSeparator
        or System.Globalization.UnicodeCategory.ParagraphSeparator or System.Globalization.UnicodeCategory.SpaceSeparator));
}
