using System.Text;

namespace Inference.Models;

/// <summary>Reads the <c>normalizer</c> of a tokenizer.json.</summary>
internal static class NormalizerReader
{
    private const string Supported = "Sequence, NFC, NFD, NFKC, NFKD, Prepend, Replace, Lowercase, StripAccents, Strip or Precompiled";

    /// <returns>Null for none.</returns>
    public static Normalizer? Read(JsonPart part)
    {
        if (!part.Exists) return null;
        switch (part["type"].Text())
        {
            case "Sequence":
                Normalizer[] steps = [.. part["normalizers"].Elements().Select(Read).OfType<Normalizer>()];
                return steps.Length switch { 0 => null, 1 => steps[0], _ => new NormalizerSequence(steps) };
            case "NFC": return new UnicodeFormNormalizer(NormalizationForm.FormC);
            case "NFD": return new UnicodeFormNormalizer(NormalizationForm.FormD);
            case "NFKC": return new UnicodeFormNormalizer(NormalizationForm.FormKC);
            case "NFKD": return new UnicodeFormNormalizer(NormalizationForm.FormKD);
            case "Prepend": return new PrependNormalizer(part["prepend"].Text());
            case "Lowercase": return new LowercaseNormalizer();
            case "StripAccents": return new StripAccentsNormalizer();
            case "Strip": return new StripNormalizer(part["strip_left"].FlagOr(true), part["strip_right"].FlagOr(true));
            case "Replace": return ReadReplace(part);
            case "Precompiled": return ReadPrecompiled(part["precompiled_charsmap"]);
            default: throw part["type"].Error(Supported);
        }
    }

    private static Normalizer ReadReplace(JsonPart part)
    {
        JsonPart pattern = part["pattern"];
        string to = part["content"].Text();
        if (pattern["String"] is { Exists: true } from) return new ReplaceNormalizer(from.Text() is { Length: > 0 } text ? text : throw from.Error("a text that is not empty"), to);
        return new PatternReplaceNormalizer(PatternReader.Read(pattern), to);
    }

    private static Normalizer? ReadPrecompiled(JsonPart part)
    {
        if (!part.Exists || part.Text().Length == 0) return null;
        try
        {
            return new CharacterMapNormalizer(Convert.FromBase64String(part.Text()));
        }
        catch (FormatException exception)
        {
            throw new ModelFormatException(part.File, part.Path, "a character map in base 64", exception.Message);
        }
    }
}
