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
    private bool dropLeadingSpace;

    internal StreamDecoder(Tokenizer tokenizer, bool skipSpecial, bool dropLeadingSpace)
    {
        this.tokenizer = tokenizer;
        this.skipSpecial = skipSpecial;
        this.dropLeadingSpace = dropLeadingSpace;
    }

    /// <summary>The text that this id completes, perhaps none. Valid until the next call; nothing is allocated once the buffer fits the longest token.</summary>
    public ReadOnlySpan<char> Append(int id)
    {
        if (skipSpecial && tokenizer.IsSpecial(id)) return default;
        ReadOnlySpan<byte> bytes = tokenizer.TokenBytes(id);
        if (bytes.IsEmpty) return default;
        if (dropLeadingSpace && bytes[0] == (byte)' ') bytes = bytes[1..];
        dropLeadingSpace = false;
        return Convert(bytes, flush: false);
    }

    /// <summary>Ends the sequence: U+FFFD for a character that was left incomplete, else nothing.</summary>
    public ReadOnlySpan<char> Flush() => Convert(default, flush: true);

    private ReadOnlySpan<char> Convert(ReadOnlySpan<byte> bytes, bool flush)
    {
        int count = pendingCount + bytes.Length;
        if (count > pending.Length)
        {
            Array.Resize(ref pending, count * 2);
            buffer = new char[pending.Length];
        }
        bytes.CopyTo(pending.AsSpan(pendingCount));
        // Replaces each maximal invalid part by one U+FFFD, as Encoding.UTF8 does; System.Text.Decoder would allocate for each.
        Utf8.ToUtf16(pending.AsSpan(0, count), buffer, out int read, out int written, replaceInvalidSequences: true, isFinalBlock: flush);
        pendingCount = count - read;
        pending.AsSpan(read, pendingCount).CopyTo(pending);
        return buffer.AsSpan(0, written);
    }
}
