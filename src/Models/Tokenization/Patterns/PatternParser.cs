using System.Globalization;

namespace Inference.Models;

/// <summary>
/// Reads the regular expressions of tokenizer files: Oniguruma's Ruby syntax as far as such patterns use it. <c>^</c> and <c>$</c> stand at every line,
/// <c>[</c> inside a class opens a class, and letters match by code point.
/// </summary>
internal sealed class PatternParser
{
    private const int DeepestNesting = 50;
    private readonly string pattern;
    private int position;
    private bool ignoreCase;
    private int depth;

    private PatternParser(string pattern) => this.pattern = pattern;

    private bool AtEnd => position >= pattern.Length;

    /// <exception cref="FormatException">The pattern is malformed or uses what is not supported; the message says what and where.</exception>
    public static PatternSyntax Parse(string pattern)
    {
        var parser = new PatternParser(pattern);
        PatternSyntax parsed = parser.ParseChoice();
        return parser.AtEnd ? parsed : throw parser.Error("an unmatched )");
    }

    private PatternSyntax ParseChoice()
    {
        if (++depth > DeepestNesting) throw Error($"groups nested deeper than {DeepestNesting}");
        bool outerCase = ignoreCase;
        List<PatternSyntax> branches = [ParseSequence()];
        while (TryTake('|')) branches.Add(ParseSequence());
        ignoreCase = outerCase;
        depth--;
        return branches.Count == 1 ? branches[0] : new ChoiceSyntax([.. branches]);
    }

    private SequenceSyntax ParseSequence()
    {
        var items = new List<PatternSyntax>();
        while (!AtEnd && pattern[position] is not ('|' or ')'))
            if (ParseAtom() is { } atom) items.Add(ParseQuantifiers(atom));
        return new SequenceSyntax([.. items]);
    }

    /// <returns>Null for what only sets an option.</returns>
    private PatternSyntax? ParseAtom()
    {
        char character = pattern[position];
        switch (character)
        {
            case '(':
                position++;
                return ParseGroup();
            case '[':
                position++;
                return Set(ParseClass());
            case '.':
                position++;
                return new SetSyntax(CharacterClass.NotNewline);
            case '^' or '$':
                position++;
                return new PlaceSyntax(character == '^' ? Place.LineStart : Place.LineEnd);
            case '\\':
                position++;
                return ParseEscape();
            case '*' or '+' or '?':
                throw Error($"{character} with nothing before it");
            default:
                return Set(CharacterClass.Of(TakeCodePoint()));
        }
    }

    private PatternSyntax? ParseGroup()
    {
        PatternSyntax item;
        if (!TryTake('?')) item = ParseChoice();
        else if (TryTake(':')) item = ParseChoice();
        else if (TryTake('=')) item = new LookSyntax(ParseChoice(), Behind: false, Negated: false);
        else if (TryTake('!')) item = new LookSyntax(ParseChoice(), Behind: false, Negated: true);
        else if (TryTake('>')) item = new AtomicSyntax(ParseChoice());
        else if (TryTake("<=")) item = new LookSyntax(ParseChoice(), Behind: true, Negated: false);
        else if (TryTake("<!")) item = new LookSyntax(ParseChoice(), Behind: true, Negated: true);
        else if (TryTake('<'))
        {
            int end = pattern.IndexOf('>', position);
            if (end < 0) throw Error("a group name without end");
            position = end + 1;
            item = ParseChoice();
        }
        else
        {
            bool outer = ignoreCase;
            bool on = true;
            while (!AtEnd && pattern[position] is not (':' or ')'))
            {
                if (TryTake('-')) on = false;
                else if (TryTake('i')) ignoreCase = on;
                else throw Error($"the option {pattern[position]}");
            }
            // (?i) holds for the rest of the group around it.
            if (TryTake(')')) return null;
            position++;
            item = ParseChoice();
            ignoreCase = outer;
        }
        if (!TryTake(')')) throw Error("a group without )");
        return item;
    }

    private PatternSyntax ParseQuantifiers(PatternSyntax item)
    {
        while (!AtEnd)
        {
            int from, to;
            bool braces = false;
            if (TryTake('*')) (from, to) = (0, int.MaxValue);
            else if (TryTake('+')) (from, to) = (1, int.MaxValue);
            else if (TryTake('?')) (from, to) = (0, 1);
            else if (TryParseBraces(out from, out to)) braces = true;
            else break;
            if (item is LookSyntax or PlaceSyntax) throw Error("a repeated assertion");
            // After braces, + is a second repetition.
            Greed greed = TryTake('?') ? Greed.Lazy : !braces && TryTake('+') ? Greed.Possessive : Greed.Greedy;
            item = new RepeatSyntax(item, from, to, greed);
        }
        return item;
    }

    private bool TryParseBraces(out int from, out int to)
    {
        (from, to) = (0, 0);
        if (AtEnd || pattern[position] != '{') return false;
        int end = pattern.IndexOf('}', position);
        if (end < 0) return false;
        string[] bounds = pattern[(position + 1)..end].Split(',');
        bool Bound(string text, int missing, out int value)
        {
            value = missing;
            return text.Length == 0 || int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        }
        // Braces that hold no numbers are characters.
        if (bounds.Length > 2 || bounds.All(bound => bound.Length == 0) || !Bound(bounds[0], 0, out from) || !Bound(bounds[^1], int.MaxValue, out to)) return false;
        if (from > to) throw Error($"the bounds {from} and {to}");
        position = end + 1;
        return true;
    }

    private PatternSyntax ParseEscape()
    {
        if (AtEnd) throw Error("a final \\");
        Place? place = pattern[position] switch { 'A' => Place.TextStart, 'z' => Place.TextEnd, 'Z' => Place.LastLineEnd, _ => null };
        if (place is null) return Set(new ClassParser(pattern, this).ParseEscape(ref position, lone: true));
        position++;
        return new PlaceSyntax(place.Value);
    }

    private CharacterClass ParseClass() => new ClassParser(pattern, this).Parse(ref position);

    private SetSyntax Set(CharacterClass set) => new(ignoreCase ? set.IgnoreCase() : set);

    private int TakeCodePoint()
    {
        int codePoint = char.ConvertToUtf32(pattern, position);
        position += codePoint > char.MaxValue ? 2 : 1;
        return codePoint;
    }

    private bool TryTake(char expected)
    {
        if (AtEnd || pattern[position] != expected) return false;
        position++;
        return true;
    }

    private bool TryTake(string expected)
    {
        if (string.CompareOrdinal(pattern, position, expected, 0, expected.Length) != 0) return false;
        position += expected.Length;
        return true;
    }

    private FormatException Error(string what) => Error(what, position);

    /// <summary>The message for a pattern that is refused.</summary>
    public FormatException Error(string what, int at) => new($"{what} at character {at}");
}
