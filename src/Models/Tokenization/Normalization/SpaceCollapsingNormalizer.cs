using System.Text;

namespace Inference.Models;

/// <summary>Makes a run of spaces one, and drops those at the ends (SentencePiece's <c>remove_extra_whitespaces</c>).</summary>
internal sealed class SpaceCollapsingNormalizer : Normalizer
{
    public override string Apply(string text)
    {
        if (text[0] != ' ' && text[^1] != ' ' && !text.Contains("  ", StringComparison.Ordinal)) return text;
        var kept = new StringBuilder(text.Length);
        foreach (char character in text)
            if (character != ' ' || (kept.Length > 0 && kept[^1] != ' ')) kept.Append(character);
        if (kept.Length > 0 && kept[^1] == ' ') kept.Length--;
        return kept.ToString();
    }
}
