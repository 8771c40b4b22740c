using System.Text;

namespace Inference.Models;

/// <summary>Unicode form NFC. .NET takes it from ICU, and without ICU silently does nothing.</summary>
internal static class Composition
{
    // A noncharacter that .NET refuses to normalise. It combines with nothing, so the text on either side can be normalised by itself.
    private const char Refused = '\uFFFE';

    /// <summary>Whether normalisation works: false in invariant mode or without libicu.</summary>
    public static bool Available { get; } = "e\u0301".Normalize(NormalizationForm.FormC) == "\u00E9";

    /// <param name="text">Well-formed UTF-16.</param>
    public static ReadOnlySpan<char> Compose(ReadOnlySpan<char> text)
    {
        if (Ascii.IsValid(text)) return text;
        if (!text.Contains(Refused)) return text.ToString().Normalize(NormalizationForm.FormC);
        return string.Join(Refused, text.ToString().Split(Refused).Select(part => part.Normalize(NormalizationForm.FormC)));
    }
}
