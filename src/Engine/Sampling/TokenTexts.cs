namespace Inference.Sampling;

/// <summary>
/// The last text that each token completed, so that a token whose text is the same as before, nearly every one, needs no new string. At most a short string for each token of the vocabulary is kept. One
/// instance serves all requests of an engine's thread.
/// </summary>
internal sealed class TokenTexts
{
    private string?[] texts = new string?[256];

    /// <summary>The text as a string.</summary>
    public string Get(int token, ReadOnlySpan<char> text)
    {
        if (text.IsEmpty) return "";
        if (token >= texts.Length) Array.Resize(ref texts, Math.Max(token + 1, 2 * texts.Length));
        if (texts[token] is { } known && text.SequenceEqual(known)) return known;
        return texts[token] = text.ToString();
    }
}
