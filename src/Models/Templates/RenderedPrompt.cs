namespace Inference;

/// <summary>
/// What a chat template made of a conversation: the prompt's text, and which parts of it users supplied. Only the template's own parts may spell control tokens;
/// a user's <c>&lt;|im_end|&gt;</c> is text.
/// </summary>
public sealed class RenderedPrompt
{
    internal RenderedPrompt(string text, ReadOnlySpan<int> userRanges)
    {
        Text = text;
        UserRanges = userRanges.ToArray();
        var segments = new List<PromptSegment>(userRanges.Length + 1);
        int done = 0;
        for (int i = 0; i < userRanges.Length; i += 2)
        {
            if (userRanges[i] > done) segments.Add(new PromptSegment(done, userRanges[i] - done, FromUser: false));
            segments.Add(new PromptSegment(userRanges[i], userRanges[i + 1] - userRanges[i], FromUser: true));
            done = userRanges[i + 1];
        }
        if (done < text.Length) segments.Add(new PromptSegment(done, text.Length - done, FromUser: false));
        Segments = segments;
    }

    /// <summary>The whole prompt.</summary>
    public string Text { get; }

    /// <summary>The parts of <see cref="Text"/> in order, without gaps; neighbours differ in where they come from.</summary>
    public IReadOnlyList<PromptSegment> Segments { get; }

    /// <summary>Start and end of each part that is a user's.</summary>
    internal int[] UserRanges { get; }

    /// <inheritdoc/>
    public override string ToString() => Text;
}

/// <summary>A part of a prompt.</summary>
/// <param name="Start">First character in <see cref="RenderedPrompt.Text"/>, in UTF-16 units.</param>
/// <param name="Length">Characters, in UTF-16 units.</param>
/// <param name="FromUser">Whether it comes from a message, a tool or another variable; false for the template's own text.</param>
public readonly record struct PromptSegment(int Start, int Length, bool FromUser);
