using System.Buffers;
using System.Globalization;
using System.Text;

namespace Inference.Models.Templates;

/// <summary>
/// Upper and lower case as Python has it. .NET maps one character to one and leaves alone what would become ASCII; the exceptions are listed here, but for
/// polytonic Greek.
/// </summary>
internal static class TextCase
{
    private static readonly Dictionary<char, string> UpperExceptions = new (char From, string To)[]
    {
        ('ß', "SS"), ('ı', "I"), ('ſ', "S"), ('ŉ', "ʼN"), ('ǰ', "J̌"), ('ΐ', "Ϊ́"), ('ΰ', "Ϋ́"), ('և', "ԵՒ"), ('ẖ', "H̱"), ('ẗ', "T̈"), ('ẘ', "W̊"),
        ('ẙ', "Y̊"), ('ẚ', "Aʾ"), ('ﬀ', "FF"), ('ﬁ', "FI"), ('ﬂ', "FL"), ('ﬃ', "FFI"), ('ﬄ', "FFL"), ('ﬅ', "ST"), ('ﬆ', "ST"), ('ﬓ', "ՄՆ"),
        ('ﬔ', "ՄԵ"), ('ﬕ', "ՄԻ"), ('ﬖ', "ՎՆ"), ('ﬗ', "ՄԽ")
    }.ToDictionary(pair => pair.From, pair => pair.To);

    private static readonly Dictionary<char, string> LowerExceptions = new (char From, string To)[]
    {
        ('İ', "i̇"), ('\u212A', "k"), ('\u212B', "å"), ('\u2126', "ω")
    }.ToDictionary(pair => pair.From, pair => pair.To);

    /// <summary>Letters for two sounds, which have a third form.</summary>
    private static readonly string[] Digraphs = ["ǅǄǆ", "ǈǇǉ", "ǋǊǌ", "ǲǱǳ"];

    private static readonly SearchValues<char> WithUpperException = SearchValues.Create([.. UpperExceptions.Keys]);
    private static readonly SearchValues<char> WithLowerException = SearchValues.Create([.. LowerExceptions.Keys, 'Σ']);

    public static string Upper(string text) => text.AsSpan().ContainsAny(WithUpperException) ? string.Concat(text.Select(UpperOf)).ToUpperInvariant() : text.ToUpperInvariant();

    public static string Lower(string text)
    {
        if (!text.AsSpan().ContainsAny(WithLowerException)) return text.ToLowerInvariant();
        var builder = new StringBuilder(text.Length + 4);
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == 'Σ') builder.Append(EndsWord(text, i) ? 'ς' : 'σ');
            else if (LowerExceptions.TryGetValue(text[i], out string? lower)) builder.Append(lower);
            else builder.Append(text[i]);
        }
        return builder.ToString().ToLowerInvariant();
    }

    /// <summary>First character upper, the others lower case.</summary>
    public static string Capitalize(string text)
    {
        if (text.Length == 0) return text;
        int width = CodePoints.Width(text, 0);
        return TitleOf(text[..width]) + Lower(text)[Lower(text[..width]).Length..];
    }

    /// <summary>Python's <c>str.title</c>: the first of each run of letters upper, the others lower case.</summary>
    public static string Title(string text)
    {
        var builder = new StringBuilder(text.Length);
        string lower = Lower(text);
        bool inWord = false;
        // Character by character only where lower case has the same length; else each by itself.
        bool aligned = lower.Length == text.Length;
        for (int i = 0, width; i < text.Length; i += width)
        {
            width = CodePoints.Width(text, i);
            string character = text.Substring(i, width);
            if (!inWord) builder.Append(TitleOf(character));
            else builder.Append(aligned ? lower.Substring(i, width) : Lower(character));
            inWord = IsCased(CodePoints.At(text, i));
        }
        return builder.ToString();
    }

    public static string SwapCase(string text) => string.Concat(text.EnumerateRunes().Select(rune => IsUpper(rune.ToString()) ? Lower(rune.ToString()) : Upper(rune.ToString())));

    /// <summary>Whether there are letters with case, and all of them are lower case.</summary>
    public static bool IsLower(string text) => AllCased(text, UnicodeCategory.LowercaseLetter);

    /// <summary>Whether there are letters with case, and all of them are upper case.</summary>
    public static bool IsUpper(string text) => AllCased(text, UnicodeCategory.UppercaseLetter);

    /// <summary>Whether there are letters with case, and of these just the first of each run is upper case.</summary>
    public static bool IsTitle(string text)
    {
        bool any = false, inWord = false;
        foreach (Rune rune in text.EnumerateRunes())
        {
            UnicodeCategory category = Rune.GetUnicodeCategory(rune);
            bool upper = category is UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter;
            if (upper && inWord) return false;
            if (category == UnicodeCategory.LowercaseLetter && !inWord) return false;
            inWord = upper || category == UnicodeCategory.LowercaseLetter;
            any |= inWord;
        }
        return any;
    }

    private static bool IsCased(int character) => character is < 0xD800 or > 0xDFFF && CharUnicodeInfo.GetUnicodeCategory(character) is UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter;

    private static bool AllCased(string text, UnicodeCategory wanted)
    {
        bool any = false;
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (!IsCased(rune.Value)) continue;
            if (Rune.GetUnicodeCategory(rune) != wanted) return false;
            any = true;
        }
        return any;
    }

    private static string UpperOf(char character) => UpperExceptions.TryGetValue(character, out string? upper) ? upper : character.ToString();

    private static string TitleOf(string character) => Array.Find(Digraphs, forms => forms.Contains(character)) is { } digraph ? digraph[..1]
        : character[0] is >= 'ა' and <= 'ჿ' ? character // Georgian has capitals but begins no word with them.
        : Upper(character) is { Length: > 1 } upper && character.Length == 1 ? upper[0] + Lower(upper[1..]) : Upper(character);

    /// <summary>Whether a sigma ends a word, where it has another form.</summary>
    private static bool EndsWord(string text, int at) => at > 0 && char.IsLetter(text[at - 1]) && !(at + 1 < text.Length && char.IsLetter(text[at + 1]));
}
