using System.Globalization;

namespace Inference.Models;

/// <summary>What UTF-16 costs a tokenizer whose references work on code points.</summary>
internal static class Surrogates
{
    /// <summary>A BMP character of each general category that has characters above U+FFFF. None is an ASCII letter, a digit or white space, which patterns name.</summary>
    private static readonly Dictionary<UnicodeCategory, char> Representatives = new()
    {
        [UnicodeCategory.UppercaseLetter] = '\u00C0',
        [UnicodeCategory.LowercaseLetter] = '\u00E0',
        [UnicodeCategory.TitlecaseLetter] = '\u01C5',
        [UnicodeCategory.ModifierLetter] = '\u02B0',
        [UnicodeCategory.OtherLetter] = '\u05D0',
        [UnicodeCategory.NonSpacingMark] = '\u0300',
        [UnicodeCategory.SpacingCombiningMark] = '\u0903',
        [UnicodeCategory.EnclosingMark] = '\u0488',
        [UnicodeCategory.DecimalDigitNumber] = '\u0660',
        [UnicodeCategory.LetterNumber] = '\u16EE',
        [UnicodeCategory.OtherNumber] = '\u00B2',
        [UnicodeCategory.ConnectorPunctuation] = '\u203F',
        [UnicodeCategory.DashPunctuation] = '\u2010',
        [UnicodeCategory.OpenPunctuation] = '\u2045',
        [UnicodeCategory.ClosePunctuation] = '\u2046',
        [UnicodeCategory.InitialQuotePunctuation] = '\u00AB',
        [UnicodeCategory.FinalQuotePunctuation] = '\u00BB',
        [UnicodeCategory.OtherPunctuation] = '\u00A1',
        [UnicodeCategory.MathSymbol] = '\u2200',
        [UnicodeCategory.CurrencySymbol] = '\u20AC',
        [UnicodeCategory.ModifierSymbol] = '\u00A8',
        [UnicodeCategory.OtherSymbol] = '\u00A9',
        [UnicodeCategory.Format] = '\u00AD',
        [UnicodeCategory.PrivateUse] = '\uE000',
        [UnicodeCategory.OtherNotAssigned] = '\uFFFF',
    };

    /// <summary>The text, or a copy in which each unpaired surrogate is U+FFFD.</summary>
    public static string Repair(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            int next = text.AsSpan(i).IndexOfAnyInRange('\uD800', '\uDFFF');
            if (next < 0) break;
            i += next;
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1])) i++;
            else return Replace(text, i);
        }
        return text;
    }

    /// <summary>
    /// One character per code point, of the same category, so that <c>\p{L}</c> and its kin see every code point: .NET's match UTF-16 units.
    /// </summary>
    /// <param name="text">Well-formed UTF-16.</param>
    /// <param name="folded">As many characters as <paramref name="text"/>, or fewer; at least its length.</param>
    /// <param name="starts">Where in <paramref name="text"/> each folded character starts, and the end; one longer than <paramref name="folded"/>.</param>
    /// <returns>Characters in <paramref name="folded"/>.</returns>
    public static int Fold(ReadOnlySpan<char> text, Span<char> folded, Span<int> starts)
    {
        int count = 0;
        for (int i = 0; i < text.Length; i++)
        {
            starts[count] = i;
            if (char.IsHighSurrogate(text[i]))
            {
                UnicodeCategory category = CharUnicodeInfo.GetUnicodeCategory(char.ConvertToUtf32(text[i], text[i + 1]));
                folded[count++] = Representatives[category];
                i++;
            }
            else folded[count++] = text[i];
        }
        starts[count] = text.Length;
        return count;
    }

    private static string Replace(string text, int from)
    {
        char[] repaired = text.ToCharArray();
        for (int i = from; i < repaired.Length; i++)
        {
            if (!char.IsSurrogate(repaired[i])) continue;
            if (char.IsHighSurrogate(repaired[i]) && i + 1 < repaired.Length && char.IsLowSurrogate(repaired[i + 1])) i++;
            else repaired[i] = '\uFFFD';
        }
        return new string(repaired);
    }
}
