namespace Inference.Models;

/// <summary>A <see cref="CharacterClass"/> made fast: one bit per character of the basic plane.</summary>
internal sealed class CharacterSet
{
    private readonly CharacterClass definition;
    private readonly ulong[] basic = new ulong[0x10000 / 64];

    public CharacterSet(CharacterClass definition)
    {
        this.definition = definition;
        // Surrogates stay out, so that the fast path of a match never takes half a character.
        for (int value = 0; value < 0x10000; value++)
            if (value is < 0xD800 or > 0xDFFF && definition.Contains(value)) basic[value >> 6] |= 1UL << value;
    }

    /// <summary>Characters of the code point at <paramref name="position"/> if it is in the set, else 0.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    /// <param name="position">Below the text's length.</param>
    public int Match(ReadOnlySpan<char> text, int position)
    {
        char character = text[position];
        if ((basic[character >> 6] >> character & 1) != 0) return 1;
        return char.IsHighSurrogate(character) && position + 1 < text.Length && definition.Contains(char.ConvertToUtf32(character, text[position + 1])) ? 2 : 0;
    }

    /// <summary>Whether a character of the basic plane is in the set.</summary>
    public bool Contains(char character) => (basic[character >> 6] >> character & 1) != 0;
}
