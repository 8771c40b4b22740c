namespace Inference.Models;

/// <summary>A token that is matched in the text before anything else.</summary>
/// <param name="Id">The token.</param>
/// <param name="Text">Its spelling, not empty.</param>
internal readonly record struct AddedToken(int Id, string Text)
{
    /// <summary>White space before it belongs to it.</summary>
    public bool TakesSpaceBefore { get; init; }

    /// <summary>White space after it belongs to it.</summary>
    public bool TakesSpaceAfter { get; init; }

    /// <summary>Counts only where no word character touches it.</summary>
    public bool WholeWord { get; init; }
}
