namespace Inference;

/// <summary>
/// Divides a streamed answer into what the model thinks and what it says. The block counts at the beginning of the answer only, where models
/// put it; the newlines inside the tags and after the block are theirs and belong to neither part.
/// </summary>
/// <param name="tags">Null: everything is answer.</param>
/// <param name="opened">The prompt has opened the block already.</param>
internal sealed class ThinkingSplitter(ThinkingTags? tags, bool opened)
{
    private enum Part
    {
        Beginning,
        Thought,
        Gap,
        Answer,
    }

    private Part part = tags is null ? Part.Answer : opened ? Part.Thought : Part.Beginning;
    private bool thoughtBegun;
    private string held = "";

    /// <summary>What became certain with this text: never a part of a tag.</summary>
    public (string Thought, string Answer) Append(string text)
    {
        string thought = "";
        held += text;
        if (part == Part.Beginning) Begin();
        if (part == Part.Thought) thought = Think();
        if (part == Part.Gap)
        {
            held = held.TrimStart('\r', '\n');
            if (held.Length > 0) part = Part.Answer;
        }
        return (thought, part == Part.Answer ? Take(held.Length) : "");
    }

    /// <summary>What was held back, once nothing follows.</summary>
    public (string Thought, string Answer) Flush() => part switch
    {
        Part.Thought => (Take(held.Length).TrimEnd('\r', '\n'), ""),
        Part.Gap => ("", ""),
        _ => ("", Take(held.Length)),
    };

    private void Begin()
    {
        string start = held.TrimStart();
        if (start.StartsWith(tags!.Open, StringComparison.Ordinal))
        {
            held = start[tags.Open.Length..];
            part = Part.Thought;
        }
        else if (!tags.Open.StartsWith(start, StringComparison.Ordinal))
        {
            part = Part.Answer;
        }
    }

    private string Think()
    {
        if (!thoughtBegun) held = held.TrimStart('\r', '\n');
        thoughtBegun |= held.Length > 0;
        int close = held.IndexOf(tags!.Close, StringComparison.Ordinal);
        if (close >= 0)
        {
            string last = held[..close].TrimEnd('\r', '\n');
            held = held[(close + tags.Close.Length)..];
            part = Part.Gap;
            return last;
        }
        // Newlines may turn out to stand before the closing tag, and so may a part of it.
        int end = held.Length;
        for (int length = Math.Min(held.Length, tags.Close.Length - 1); length > 0 && end == held.Length; length--)
            if (held.EndsWith(tags.Close[..length], StringComparison.Ordinal)) end -= length;
        while (end > 0 && held[end - 1] is '\r' or '\n') end--;
        return Take(end);
    }

    private string Take(int count)
    {
        string taken = held[..count];
        held = held[count..];
        return taken;
    }
}
