using System.Globalization;

namespace Inference.Models;

/// <summary>General categories as bits, so that a set of them is one number and a test is one look-up.</summary>
internal static class CharacterTable
{
    private static readonly byte[] Basic = MakeBasic();

    /// <summary>Bits of L, M, N, P, S, Z and C.</summary>
    public static readonly uint
        Letters = Bits(UnicodeCategory.UppercaseLetter, UnicodeCategory.LowercaseLetter, UnicodeCategory.TitlecaseLetter, UnicodeCategory.ModifierLetter, UnicodeCategory.OtherLetter),
        Marks = Bits(UnicodeCategory.NonSpacingMark, UnicodeCategory.SpacingCombiningMark, UnicodeCategory.EnclosingMark),
        Numbers = Bits(UnicodeCategory.DecimalDigitNumber, UnicodeCategory.LetterNumber, UnicodeCategory.OtherNumber),
        Punctuation = Bits(UnicodeCategory.ConnectorPunctuation, UnicodeCategory.DashPunctuation, UnicodeCategory.OpenPunctuation, UnicodeCategory.ClosePunctuation,
            UnicodeCategory.InitialQuotePunctuation, UnicodeCategory.FinalQuotePunctuation, UnicodeCategory.OtherPunctuation),
        Symbols = Bits(UnicodeCategory.MathSymbol, UnicodeCategory.CurrencySymbol, UnicodeCategory.ModifierSymbol, UnicodeCategory.OtherSymbol),
        Separators = Bits(UnicodeCategory.SpaceSeparator, UnicodeCategory.LineSeparator, UnicodeCategory.ParagraphSeparator),
        Other = Bits(UnicodeCategory.Control, UnicodeCategory.Format, UnicodeCategory.Surrogate, UnicodeCategory.PrivateUse, UnicodeCategory.OtherNotAssigned);

    /// <summary>The bit of one category.</summary>
    public static uint Bit(UnicodeCategory category) => 1u << (int)category;

    /// <summary>The bits of several.</summary>
    public static uint Bits(params ReadOnlySpan<UnicodeCategory> categories)
    {
        uint bits = 0;
        foreach (UnicodeCategory category in categories) bits |= Bit(category);
        return bits;
    }

    /// <summary>The bit of a code point's category.</summary>
    public static uint BitOf(int codePoint) => 1u << (codePoint < Basic.Length ? Basic[codePoint] : (int)CharUnicodeInfo.GetUnicodeCategory(codePoint));

    private static byte[] MakeBasic()
    {
        var categories = new byte[0x10000];
        for (int value = 0; value < categories.Length; value++) categories[value] = (byte)CharUnicodeInfo.GetUnicodeCategory((char)value);
        return categories;
    }
}
