using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Inference.Models;

/// <summary>
/// SentencePiece's precompiled character map: a double-array trie from UTF-8 to the offset of a replacement. A whole grapheme is tried first, if it is
/// shorter than 6 bytes, then its characters one by one; of the prefixes that the trie knows the shortest counts. That is what the reference does.
/// </summary>
internal sealed class CharacterMapNormalizer : Normalizer
{
    private const int LongestGrapheme = 5;
    private readonly uint[] trie;
    private readonly byte[] replacements;

    /// <param name="map">Size of the trie in bytes, the trie, and the replacements, each ended by a zero byte.</param>
    /// <exception cref="FormatException">The sizes contradict each other.</exception>
    public CharacterMapNormalizer(ReadOnlySpan<byte> map)
    {
        if (map.Length < 4) throw new FormatException($"{map.Length} bytes");
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(map);
        if (size > map.Length - 4 || size % 4 != 0 || size == 0) throw new FormatException($"a trie of {size} bytes in a map of {map.Length}");
        trie = new uint[size / 4];
        for (int i = 0; i < trie.Length; i++) trie[i] = BinaryPrimitives.ReadUInt32LittleEndian(map[(4 + i * 4)..]);
        replacements = map[(4 + (int)size)..].ToArray();
    }

    public override string Apply(string text)
    {
        var mapped = new StringBuilder(text.Length);
        Span<byte> bytes = stackalloc byte[LongestGrapheme + 3];
        int width;
        for (int start = 0; start < text.Length; start += width)
        {
            ReadOnlySpan<char> rest = text.AsSpan(start);
            // Two ASCII characters are two graphemes, but for \r\n.
            bool plain = rest[0] < 128 && (rest.Length == 1 || rest[1] < 128) && rest[0] != '\r';
            width = plain ? 1 : StringInfo.GetNextTextElementLength(rest);
            ReadOnlySpan<char> grapheme = rest[..width];
            if (Encoding.UTF8.GetByteCount(grapheme) <= LongestGrapheme)
            {
                int length = Encoding.UTF8.GetBytes(grapheme, bytes);
                if (TryMap(bytes[..length], mapped)) continue;
            }
            foreach (Rune rune in grapheme.EnumerateRunes())
            {
                int length = rune.EncodeToUtf8(bytes);
                if (!TryMap(bytes[..length], mapped)) mapped.Append(rune);
            }
        }
        return mapped.ToString();
    }

    private bool TryMap(ReadOnlySpan<byte> key, StringBuilder mapped)
    {
        uint position = Offset(trie[0]);
        foreach (byte label in key)
        {
            position ^= label;
            if (label == 0 || position >= trie.Length) return false;
            uint unit = trie[position];
            if ((unit & 0x800000FF) != label) return false;
            position ^= Offset(unit);
            if ((unit >> 8 & 1) == 0) continue;
            if (position >= trie.Length) return false;
            int start = (int)Math.Min(trie[position] & 0x7FFFFFFF, (uint)replacements.Length);
            ReadOnlySpan<byte> replacement = replacements.AsSpan(start);
            int end = replacement.IndexOf((byte)0);
            mapped.Append(Encoding.UTF8.GetString(end < 0 ? replacement : replacement[..end]));
            return true;
        }
        return false;
    }

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & 1 << 9) >> 6);
}
