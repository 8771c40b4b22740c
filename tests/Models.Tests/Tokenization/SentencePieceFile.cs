using System.Text;

namespace Inference.Models.Tests;

/// <summary>Writes a <c>tokenizer.model</c> for tests, straight from the description of protobuf's wire format.</summary>
internal static class SentencePieceFile
{
    /// <param name="pieces">Text, score and type of each.</param>
    /// <param name="kind">1: unigram, 2: byte pairs.</param>
    /// <param name="prefix">Whether a space is put before the text.</param>
    /// <param name="map">Character map of the normalizer.</param>
    /// <param name="eos">Id of the end token.</param>
    public static byte[] Write(IEnumerable<(string Text, float Score, int Type)> pieces, int kind, bool prefix = true, byte[]? map = null, int eos = 2)
    {
        List<byte> file = [];
        foreach ((string text, float score, int type) in pieces)
            Bytes(file, 1, [.. BytesOf(1, Encoding.UTF8.GetBytes(text)), 2 << 3 | 5, .. BitConverter.GetBytes(score), .. NumberOf(3, type)]);
        Bytes(file, 2, [.. NumberOf(3, kind), .. NumberOf(40, 0), .. NumberOf(41, 1), .. NumberOf(42, eos), .. NumberOf(43, -1)]);
        Bytes(file, 3, [.. BytesOf(1, "identity"u8.ToArray()), .. BytesOf(2, map ?? []), .. NumberOf(3, prefix ? 1 : 0), .. NumberOf(4, 0)]);
        return [.. file];
    }

    /// <summary>A field with a number, negative ones in ten bytes.</summary>
    public static byte[] NumberOf(int field, long value)
    {
        List<byte> bytes = [];
        Varint(bytes, (ulong)field << 3);
        Varint(bytes, unchecked((ulong)value));
        return [.. bytes];
    }

    public static byte[] BytesOf(int field, byte[] content)
    {
        List<byte> bytes = [];
        Bytes(bytes, field, content);
        return [.. bytes];
    }

    private static void Bytes(List<byte> to, int field, byte[] content)
    {
        Varint(to, (ulong)field << 3 | 2);
        Varint(to, (ulong)content.Length);
        to.AddRange(content);
    }

    private static void Varint(List<byte> to, ulong value)
    {
        for (; value > 127; value >>= 7) to.Add((byte)(value & 127 | 128));
        to.Add((byte)value);
    }
}
