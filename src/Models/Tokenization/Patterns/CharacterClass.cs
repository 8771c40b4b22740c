using System.Globalization;

namespace Inference.Models;

/// <summary>A set of code points as a pattern writes it: categories, ranges, complements, unions.</summary>
/// <param name="Categories">Bits of <see cref="CharacterTable"/>.</param>
/// <param name="Ranges">Code points from first to last.</param>
/// <param name="Parts">Sets that belong to the union.</param>
/// <param name="Negated">The complement of all that is meant.</param>
internal sealed record CharacterClass(uint Categories, (int First, int Last)[] Ranges, CharacterClass[] Parts, bool Negated)
{
    private const uint ConnectorBit = 1u << (int)UnicodeCategory.ConnectorPunctuation;

    private static readonly (int First, int Last)[] CircledLetters = [(0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189)];

    /// <summary>Tab to carriage return, next line, and the separators: Unicode's White_Space.</summary>
    public static readonly CharacterClass Space = new(CharacterTable.Separators, [('\t', '\r'), (0x85, 0x85)], [], Negated: false);

    /// <summary><c>\w</c> in a class: letters, marks, digits, connecting punctuation, and what Unicode calls alphabetic without being a letter.</summary>
    public static readonly CharacterClass Word = new(
        CharacterTable.Letters | CharacterTable.Marks | CharacterTable.Bits(UnicodeCategory.DecimalDigitNumber, UnicodeCategory.LetterNumber) | ConnectorBit, CircledLetters, [], Negated: false);

    /// <summary><c>\w</c> outside a class, where Oniguruma goes by a table of Latin-1 that has superscript digits and fractions as well.</summary>
    public static readonly CharacterClass LoneWord = new(0, [(0xB2, 0xB3), (0xB9, 0xB9), (0xBC, 0xBE)], [Word], Negated: false);

    /// <summary><c>\w</c> of Rust's regex, with the joiners of Arabic and Indic writing.</summary>
    public static readonly CharacterClass WordOfRust = new(0, [(0x200C, 0x200D)], [Word], Negated: false);

    public static readonly CharacterClass NotNewline = new(0, [('\n', '\n')], [], Negated: true);

    public static CharacterClass Of(uint categories) => new(categories, [], [], Negated: false);

    public static CharacterClass Of(int codePoint) => new(0, [(codePoint, codePoint)], [], Negated: false);

    public CharacterClass Complement() => this with { Negated = !Negated };

    /// <summary>Whether both are written the same way.</summary>
    public bool SameAs(CharacterClass other) => Negated == other.Negated && Categories == other.Categories && Ranges.AsSpan().SequenceEqual(other.Ranges)
        && Parts.Length == other.Parts.Length && Parts.Zip(other.Parts).All(pair => pair.First.SameAs(pair.Second));

    public bool Contains(int codePoint)
    {
        bool found = (Categories & CharacterTable.BitOf(codePoint)) != 0;
        foreach ((int first, int last) in Ranges) found |= codePoint >= first && codePoint <= last;
        foreach (CharacterClass part in Parts) found |= part.Contains(codePoint);
        return found != Negated;
    }

    /// <summary>With every character whose case-folded form equals that of a member.</summary>
    public CharacterClass IgnoreCase()
    {
        CharacterClass members = this with { Negated = false };
        var variants = new List<(int First, int Last)>();
        foreach (string equal in CaseFolding.GroupsFor(members))
            if (equal.Any(character => members.Contains(character))) variants.AddRange(equal.Select(character => ((int)character, (int)character)));
        return new CharacterClass(0, [.. variants], [members], Negated);
    }
}

/// <summary>Unicode's simple case folding, of the basic plane.</summary>
internal static class CaseFolding
{
    private static readonly Lazy<string[]> All = new(MakeGroups);

    // The long s and the Kelvin sign are the only folds of ASCII letters outside ASCII.
    private static readonly string[] Ascii = [.. Enumerable.Range('a', 26).Select(letter => $"{(char)letter}{(char)(letter - 32)}{(letter is 's' ? "\u017F" : letter is 'k' ? "\u212A" : "")}")];

    /// <summary>Characters that are equal but for case, one string for each fold; all that can concern the set.</summary>
    public static string[] GroupsFor(CharacterClass members) =>
        members.Categories == 0 && members.Parts.Length == 0 && members.Ranges.All(range => range.Last < 128) ? Ascii : All.Value;

    // .NET leaves the long s out; its folding is s.
    private static char Fold(char character) => character == '\u017F' ? 's' : char.ToLowerInvariant(char.ToUpperInvariant(character));

    private static string[] MakeGroups() =>
        [.. Enumerable.Range(0, 0x10000).Select(value => (char)value).GroupBy(Fold).Where(group => group.Skip(1).Any()).Select(group => string.Concat(group))];
}
