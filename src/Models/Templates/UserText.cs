namespace Inference.Models.Templates;

/// <summary>
/// Which parts of a prompt are a user's, and which tokens those parts cannot spell. Tokens that steer the model (control tokens, end and begin of a sequence, and
/// user-defined tokens that look like markup, such as DeepSeek's <c>&lt;｜User｜&gt;</c> or Qwen's <c>&lt;tool_call&gt;</c>) count only where every character of
/// them is the template's own. User-defined tokens that are plain text, such as Gemma's runs of newlines, count everywhere.
/// </summary>
/// <param name="ranges">As in <see cref="MarkedText"/>; empty: nothing is a user's.</param>
/// <param name="offset">Where the text that is looked at starts in the prompt.</param>
internal readonly ref struct UserText(ReadOnlySpan<int> ranges, int offset = 0)
{
    private readonly ReadOnlySpan<int> ranges = ranges;

    /// <summary>Whether every token may be spelled everywhere.</summary>
    public bool IsEmpty => ranges.IsEmpty;

    /// <summary>The same for a part of the text.</summary>
    public UserText From(int start) => new(ranges, offset + start);

    /// <summary>A part of the text of which only the whole is known to be a user's or not, since it was rewritten.</summary>
    /// <param name="start">Where it starts.</param>
    /// <param name="end">Where it ends.</param>
    public UserText Blurred(int start, int end) => Touches(start, end) ? new UserText(Everything) : default;

    /// <summary>Whether a token may stand for this part of the text.</summary>
    public bool Allows(TokenizerDefinition definition, int id, int start, int end) => !Touches(start, end) || !IsMarkup(definition, id);

    /// <summary>Whether a token steers the model rather than being text.</summary>
    public static bool IsMarkup(TokenizerDefinition definition, int id) =>
        definition.Types[id] is TokenType.Control or TokenType.Unknown || id == definition.BosId || id == definition.EosId || definition.EndOfGeneration.Contains(id)
        || definition.Tokens[id].AsSpan().ContainsAny("<>[]{}|｜");

    private static ReadOnlySpan<int> Everything => [0, int.MaxValue];

    private bool Touches(int start, int end)
    {
        (start, end) = (start + offset, end + offset);
        // The first range that ends behind the start.
        int low = 0, high = ranges.Length / 2;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (ranges[middle * 2 + 1] <= start) low = middle + 1;
            else high = middle;
        }
        return low < ranges.Length / 2 && ranges[low * 2] < end;
    }
}
