namespace Inference.Models;

/// <summary>Turns one piece of text into tokens. Immutable but for caches, safe for concurrent use.</summary>
internal abstract class TokenModel
{
    /// <summary>Appends the tokens of a piece.</summary>
    /// <param name="piece">Not empty, well-formed UTF-16.</param>
    /// <param name="ids">Where to.</param>
    public abstract void Encode(ReadOnlySpan<char> piece, List<int> ids);
}
