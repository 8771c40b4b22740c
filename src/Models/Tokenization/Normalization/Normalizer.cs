using System.Text;

namespace Inference.Models;

/// <summary>Rewrites text before it is cut. Immutable, safe for concurrent use.</summary>
internal abstract class Normalizer
{
    /// <param name="text">Well-formed UTF-16, not empty.</param>
    public abstract string Apply(string text);
}

/// <summary>One after the other.</summary>
internal sealed class NormalizerSequence(Normalizer[] steps) : Normalizer
{
    public override string Apply(string text)
    {
        foreach (Normalizer step in steps)
            if (text.Length > 0) text = step.Apply(text);
        return text;
    }
}

/// <summary>A Unicode form (NFC, NFD, NFKC, NFKD).</summary>
internal sealed class UnicodeFormNormalizer(NormalizationForm form) : Normalizer
{
    private readonly NormalizationForm form = UnicodeForms.Required(form);

    public override string Apply(string text) => UnicodeForms.Normalize(text, form);
}

/// <summary>Puts a text in front.</summary>
internal sealed class PrependNormalizer(string prefix) : Normalizer
{
    public override string Apply(string text) => prefix + text;
}

/// <summary>Replaces every occurrence of a text.</summary>
internal sealed class ReplaceNormalizer(string from, string to) : Normalizer
{
    public override string Apply(string text) =>
        from.Length == 1 && to.Length == 1 ? text.Replace(from[0], to[0]) : text.Replace(from, to, StringComparison.Ordinal);
}

/// <summary>Replaces every match of a pattern.</summary>
internal sealed class PatternReplaceNormalizer(TextPattern pattern, string to) : Normalizer
{
    public override string Apply(string text)
    {
        TextPattern.Matches matches = pattern.EnumerateMatches(text);
        if (!matches.MoveNext()) return text;
        var replaced = new StringBuilder(text.Length);
        int done = 0;
        do
        {
            replaced.Append(text, done, matches.Start - done).Append(to);
            done = matches.End;
        }
        while (matches.MoveNext());
        return replaced.Append(text, done, text.Length - done).ToString();
    }
}

/// <summary>Lower case, character by character.</summary>
internal sealed class LowercaseNormalizer : Normalizer
{
    // The one character whose lower case is two.
    public override string Apply(string text) => text.Replace("\u0130", "i\u0307", StringComparison.Ordinal).ToLowerInvariant();
}

/// <summary>Drops combining marks.</summary>
internal sealed class StripAccentsNormalizer : Normalizer
{
    public override string Apply(string text)
    {
        var kept = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
            if ((CharacterTable.BitOf(rune.Value) & CharacterTable.Marks) == 0) kept.Append(rune);
        return kept.ToString();
    }
}

/// <summary>Drops white space at the ends.</summary>
internal sealed class StripNormalizer(bool left, bool right) : Normalizer
{
    public override string Apply(string text)
    {
        ReadOnlySpan<char> rest = text;
        if (left) rest = rest.TrimStart();
        if (right) rest = rest.TrimEnd();
        return rest.Length == text.Length ? text : rest.ToString();
    }
}

/// <summary>Unicode normalisation. .NET takes it from ICU, and without ICU silently does nothing.</summary>
internal static class UnicodeForms
{
    // A noncharacter that .NET refuses to normalise. It combines with nothing, so the text on either side can be normalised by itself.
    private const char Refused = '\uFFFE';

    /// <summary>Whether normalisation works: false in invariant mode or without libicu.</summary>
    public static bool Available { get; } = "e\u0301".Normalize(NormalizationForm.FormC) == "\u00E9";

    /// <param name="text">Well-formed UTF-16.</param>
    /// <param name="form">Which form.</param>
    public static string Normalize(string text, NormalizationForm form)
    {
        if (Ascii.IsValid(text)) return text;
        if (!text.Contains(Refused, StringComparison.Ordinal)) return text.Normalize(form);
        return string.Join(Refused, text.Split(Refused).Select(part => part.Normalize(form)));
    }

    /// <summary>The form, for whoever will need it.</summary>
    /// <exception cref="PlatformNotSupportedException">There is no ICU.</exception>
    public static NormalizationForm Required(NormalizationForm form) => Available
        ? form
        : throw new PlatformNotSupportedException("This tokenizer needs Unicode normalisation, which .NET takes from ICU: install libicu, and leave InvariantGlobalization off.");
}
