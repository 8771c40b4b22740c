using System.Text;

namespace Inference.Models;

/// <summary>
/// The printable stand-ins that byte-level vocabularies (GPT-2's and all after it) spell bytes with: printable Latin-1 characters stand for themselves,
/// the other 68 bytes, in order, for U+0100 and up. A space is <c>Ġ</c>.
/// </summary>
internal static class ByteAlphabet
{
    private const int None = -1;
    private static readonly char[] CharacterOf = MakeCharacters();
    private static readonly short[] ByteOf = Invert();

    /// <summary>The character that stands for a byte.</summary>
    public static char Character(byte value) => CharacterOf[value];

    /// <summary>Spells the UTF-8 bytes of <paramref name="text"/>.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    /// <param name="spelled">Room for 3 characters per character of the text.</param>
    /// <returns>Characters in <paramref name="spelled"/>: one per byte.</returns>
    public static int Spell(ReadOnlySpan<char> text, Span<char> spelled)
    {
        int count = 0;
        Span<byte> bytes = stackalloc byte[4];
        foreach (Rune rune in text.EnumerateRunes())
        {
            int width = rune.EncodeToUtf8(bytes);
            for (int i = 0; i < width; i++) spelled[count++] = CharacterOf[bytes[i]];
        }
        return count;
    }

    /// <summary>The bytes that a token spells; false when one of its characters stands for no byte.</summary>
    /// <param name="token">A token of the vocabulary.</param>
    /// <param name="bytes">Room for one byte per character.</param>
    public static bool TryRead(ReadOnlySpan<char> token, Span<byte> bytes)
    {
        for (int i = 0; i < token.Length; i++)
        {
            short value = token[i] < ByteOf.Length ? ByteOf[token[i]] : (short)None;
            if (value == None) return false;
            bytes[i] = (byte)value;
        }
        return true;
    }

    private static char[] MakeCharacters()
    {
        var characters = new char[256];
        int shifted = 0;
        for (int value = 0; value < 256; value++)
        {
            bool printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF);
            characters[value] = (char)(printable ? value : 0x100 + shifted++);
        }
        return characters;
    }

    private static short[] Invert()
    {
        var bytes = new short[CharacterOf.Max() + 1];
        Array.Fill(bytes, (short)None);
        for (int value = 0; value < 256; value++) bytes[CharacterOf[value]] = (short)value;
        return bytes;
    }
}
