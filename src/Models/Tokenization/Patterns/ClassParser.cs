using System.Globalization;

namespace Inference.Models;

/// <summary>Reads character classes and the escapes that stand for one code point of a set.</summary>
internal sealed class ClassParser(string pattern, PatternParser parser)
{
    private const int DeepestNesting = 20;

    private static readonly Dictionary<string, uint> Categories = MakeCategories();

    /// <summary>Reads up to the closing bracket.</summary>
    /// <param name="position">After the opening bracket; then after the closing one.</param>
    public CharacterClass Parse(ref int position) => Parse(ref position, 0);

    /// <param name="position">After the backslash; then after the escape.</param>
    /// <param name="lone">It stands outside a class.</param>
    public CharacterClass ParseEscape(ref int position, bool lone)
    {
        char kind = pattern[position];
        switch (kind)
        {
            case 's' or 'S' or 'd' or 'D' or 'w' or 'W' or 'h' or 'H':
                position++;
                CharacterClass set = char.ToLowerInvariant(kind) switch
                {
                    's' => CharacterClass.Space,
                    'd' => CharacterClass.Of(CharacterTable.Bit(UnicodeCategory.DecimalDigitNumber)),
                    'w' => lone ? CharacterClass.LoneWord : CharacterClass.Word,
                    _ => new CharacterClass(0, [('0', '9'), ('a', 'f'), ('A', 'F')], [], Negated: false),
                };
                return char.IsUpper(kind) ? set.Complement() : set;
            case 'p' or 'P':
                return ParseProperty(ref position);
            default:
                return CharacterClass.Of(ParseCharacterEscape(ref position));
        }
    }

    private CharacterClass Parse(ref int position, int depth)
    {
        if (depth > DeepestNesting) throw parser.Error($"classes nested deeper than {DeepestNesting}", position);
        bool negated = TryTake("^", ref position);
        uint categories = 0;
        var ranges = new List<(int First, int Last)>();
        var parts = new List<CharacterClass>();
        var intersected = new List<CharacterClass>();
        bool empty = true;
        while (true)
        {
            if (position >= pattern.Length) throw parser.Error("a class without ]", position);
            if (!empty && TryTake("]", ref position)) break;
            empty = false;
            if (TryTake("[:", ref position)) parts.Add(ParsePosix(ref position));
            else if (TryTake("[", ref position)) parts.Add(Parse(ref position, depth + 1));
            else if (TryTake("&&", ref position))
            {
                intersected.Add(new CharacterClass(categories, [.. ranges], [.. parts], Negated: false));
                (categories, ranges, parts) = (0, [], []);
            }
            else if (pattern[position] == '\\' && position + 1 < pattern.Length && pattern[position + 1] is 's' or 'S' or 'd' or 'D' or 'w' or 'W' or 'h' or 'H' or 'p' or 'P')
            {
                position++;
                CharacterClass escaped = ParseEscape(ref position, lone: false);
                if (escaped is { Negated: false, Ranges.Length: 0, Parts.Length: 0 }) categories |= escaped.Categories;
                else parts.Add(escaped);
            }
            else
            {
                int first = ParseMember(ref position);
                // A hyphen before the closing bracket stands for itself.
                bool range = position + 1 < pattern.Length && pattern[position] == '-' && pattern[position + 1] != ']';
                if (range) position++;
                int last = range ? ParseMember(ref position) : first;
                if (last < first) throw parser.Error("a range that ends before it starts", position);
                ranges.Add((first, last));
            }
        }
        var set = new CharacterClass(categories, [.. ranges], [.. parts], Negated: false);
        // What is in all of them is in the complement of none.
        if (intersected.Count > 0) set = new CharacterClass(0, [], [.. intersected.Append(set).Select(part => part.Complement())], Negated: true);
        return negated ? set.Complement() : set;
    }

    private int ParseMember(ref int position)
    {
        if (TryTake("\\", ref position))
        {
            if (position >= pattern.Length) throw parser.Error("a final \\", position);
            return ParseCharacterEscape(ref position);
        }
        int codePoint = char.ConvertToUtf32(pattern, position);
        position += codePoint > char.MaxValue ? 2 : 1;
        return codePoint;
    }

    private int ParseCharacterEscape(ref int position)
    {
        char kind = pattern[position++];
        switch (kind)
        {
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            case 'f': return '\f';
            case 'v': return '\v';
            case 'a': return '\a';
            case 'e': return '\x1B';
            case '0': return 0;
            case 'u': return ParseHexadecimal(ref position, 4, 4);
            case 'x' when TryTake("{", ref position):
                int value = ParseHexadecimal(ref position, 1, 6);
                return TryTake("}", ref position) ? value : throw parser.Error("\\x{ without }", position);
            case 'x': return ParseHexadecimal(ref position, 1, 2);
        }
        if (char.IsAsciiLetterOrDigit(kind)) throw parser.Error($"the escape \\{kind}", position);
        position--;
        int codePoint = char.ConvertToUtf32(pattern, position);
        position += codePoint > char.MaxValue ? 2 : 1;
        return codePoint;
    }

    private int ParseHexadecimal(ref int position, int fewest, int most)
    {
        int length = 0;
        while (length < most && position + length < pattern.Length && char.IsAsciiHexDigit(pattern[position + length])) length++;
        if (length < fewest) throw parser.Error("an escape without hexadecimal digits", position);
        int value = int.Parse(pattern.AsSpan(position, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        if (value > 0x10FFFF) throw parser.Error("a character above U+10FFFF", position);
        position += length;
        return value;
    }

    private CharacterClass ParseProperty(ref int position)
    {
        bool negated = pattern[position++] == 'P';
        int end = position < pattern.Length && pattern[position] == '{' ? pattern.IndexOf('}', position) : -1;
        if (end < 0) throw parser.Error("\\p without {}", position);
        string name = pattern[(position + 1)..end];
        if (name.StartsWith('^')) (name, negated) = (name[1..], !negated);
        CharacterClass set = name switch
        {
            "Han" => UnicodeScripts.Han,
            "Hiragana" => UnicodeScripts.Hiragana,
            "Katakana" => UnicodeScripts.Katakana,
            "Hangul" => UnicodeScripts.Hangul,
            _ when Categories.TryGetValue(name, out uint bits) => CharacterClass.Of(bits),
            _ => throw parser.Error($"the property {name}", position),
        };
        position = end + 1;
        return negated ? set.Complement() : set;
    }

    private CharacterClass ParsePosix(ref int position)
    {
        int end = pattern.IndexOf(":]", position, StringComparison.Ordinal);
        if (end < 0) throw parser.Error("[: without :]", position);
        string name = pattern[position..end];
        bool negated = name.StartsWith('^');
        uint letters = CharacterTable.Letters | CharacterTable.Marks | CharacterTable.Bit(UnicodeCategory.LetterNumber);
        CharacterClass set = name.TrimStart('^') switch
        {
            "space" => CharacterClass.Space,
            "word" => CharacterClass.Word,
            "alpha" => CharacterClass.Of(letters),
            "digit" => CharacterClass.Of(CharacterTable.Bit(UnicodeCategory.DecimalDigitNumber)),
            "alnum" => CharacterClass.Of(letters | CharacterTable.Bit(UnicodeCategory.DecimalDigitNumber)),
            "punct" => CharacterClass.Of(CharacterTable.Punctuation | CharacterTable.Symbols),
            "upper" => CharacterClass.Of(CharacterTable.Bit(UnicodeCategory.UppercaseLetter)),
            "lower" => CharacterClass.Of(CharacterTable.Bit(UnicodeCategory.LowercaseLetter)),
            "cntrl" => CharacterClass.Of(CharacterTable.Bit(UnicodeCategory.Control)),
            _ => throw parser.Error($"the class [:{name}:]", position),
        };
        position = end + 2;
        return negated ? set.Complement() : set;
    }

    private bool TryTake(string expected, ref int position)
    {
        if (string.CompareOrdinal(pattern, position, expected, 0, expected.Length) != 0) return false;
        position += expected.Length;
        return true;
    }

    private static Dictionary<string, uint> MakeCategories()
    {
        const string names = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Zs Zl Zp Cc Cf Cs Co Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Cn";
        string[] inOrderOfTheEnum = names.Split(' ');
        var categories = new Dictionary<string, uint>(StringComparer.Ordinal);
        for (int i = 0; i < inOrderOfTheEnum.Length; i++)
        {
            categories[inOrderOfTheEnum[i]] = 1u << i;
            categories[inOrderOfTheEnum[i][..1]] = categories.GetValueOrDefault(inOrderOfTheEnum[i][..1]) | 1u << i;
        }
        foreach ((string longName, string name) in (ReadOnlySpan<(string, string)>)[("Letter", "L"), ("Mark", "M"), ("Number", "N"), ("Punctuation", "P"), ("Symbol", "S"), ("Separator", "Z")])
            categories[longName] = categories[name];
        return categories;
    }
}
