using System.Text.Unicode;

namespace Inference.Models;

/// <summary>
/// Ids to text one at a time. Text comes out as soon as its characters are complete, so a character that spans tokens is never split; the concatenation
/// of all <see cref="Append"/> and the final <see cref="Flush"/> is what <see cref="Tokenizer.Decode"/> gives for the whole. Not safe for concurrent use.
/// </summary>
internal sealed class StreamDecoder
{
    private readonly Tokenizer tokenizer;
    private readonly bool skipSpecial;
    private byte[] pending = new byte[64];
    private int pendingCount;
    private char[] buffer = new char[64];
    private SequenceStart start;

    internal StreamDecoder(Tokenizer tokenizer, bool skipSpecial, LeadingText leading)
    {
        this.tokenizer = tokenizer;
        this.skipSpecial = skipSpecial;
        start = new SequenceStart(leading);
    }

    /// <summary>The text that this id completes, perhaps none. Valid until the next call; nothing is allocated once the buffer fits the longest token.</summary>
    public ReadOnlySpan<char> Append(int id)
    {
        if (skipSpecial && tokenizer.IsSpecial(id)) return default;
        ReadOnlySpan<byte> bytes = tokenizer.TokenBytes(id);
        int count = pendingCount + bytes.Length;
        if (count > pending.Length)
        {
            Array.Resize(ref pending, count * 2);
            buffer = new char[pending.Length];
        }
        pendingCount += start.Copy(id, bytes, pending.AsSpan(pendingCount));
        return Convert(flush: false);
    }

    /// <summary>Ends the sequence: U+FFFD for a character that was left incomplete, else nothing.</summary>
    public ReadOnlySpan<char> Flush() => Convert(flush: true);

    private ReadOnlySpan<char> Convert(bool flush)
    {
        // Replaces each maximal invalid part by one U+FFFD, as Encoding.UTF8 does; System.Text.Decoder would allocate for each.
        Utf8.ToUtf16(pending.AsSpan(0, pendingCount), buffer, out int read, out int written, replaceInvalidSequences: true, isFinalBlock: flush);
        pending.AsSpan(read, pendingCount - read).CopyTo(pending);
        pendingCount -= read;
        return buffer.AsSpan(0, written);
    }
}
