namespace Inference.Models;

/// <summary>Takes away what a decoder drops at the start of a sequence; after the first text it lets all through.</summary>
internal struct SequenceStart(LeadingText leading)
{
    private bool open = leading.IsWholeFirstToken || leading.Count > 0;
    private int left = leading.Count;

    /// <summary>Copies the bytes of the next token, without what is dropped.</summary>
    /// <param name="id">The token.</param>
    /// <param name="token">Its bytes.</param>
    /// <param name="kept">Room for all of them.</param>
    /// <returns>How many were copied.</returns>
    public int Copy(int id, ReadOnlySpan<byte> token, Span<byte> kept)
    {
        if (open && !token.IsEmpty)
        {
            if (leading.IsWholeFirstToken) return CopyFirst(id, token, kept);
            while (left > 0 && !token.IsEmpty && token[0] == leading.Character)
            {
                token = token[1..];
                left--;
            }
            open = left > 0 && token.IsEmpty;
        }
        token.CopyTo(kept);
        return token.Length;
    }

    private int CopyFirst(int id, ReadOnlySpan<byte> token, Span<byte> kept)
    {
        int count = 0;
        foreach (byte value in token)
            if (value != leading.Character || leading.ExemptFirstTokens!.Contains(id)) kept[count++] = value;
        open = false;
        return count;
    }
}
