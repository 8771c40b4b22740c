using System.Globalization;
using System.Text;

namespace Inference.Models;

/// <summary>The tokens <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>, in which a vocabulary spells what it has no other token for.</summary>
internal sealed class ByteFallback
{
    private const int None = -1;
    private readonly int[] ids = new int[256];

    public ByteFallback() => Array.Fill(ids, None);

    /// <summary>Whether every byte has a token.</summary>
    public bool IsComplete => !ids.Contains(None);

    /// <summary>Parses the spelling <c>&lt;0xNN&gt;</c>.</summary>
    public static bool TryParse(ReadOnlySpan<char> token, out byte value)
    {
        value = 0;
        return token.Length == 6 && token.StartsWith("<0x") && token[5] == '>' && byte.TryParse(token[3..5], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    public void Add(byte value, int id) => ids[value] = id;

    /// <summary>Whether this is one of the tokens.</summary>
    public bool Contains(int id) => ids.Contains(id);

    /// <summary>The tokens of one character.</summary>
    /// <param name="character">One code point.</param>
    /// <param name="spelled">Room for four.</param>
    /// <returns>How many; 0 when one of its bytes has no token.</returns>
    public int Spell(ReadOnlySpan<char> character, Span<int> spelled)
    {
        Span<byte> bytes = stackalloc byte[4];
        int count = Encoding.UTF8.GetBytes(character, bytes);
        for (int i = 0; i < count; i++)
        {
            if (ids[bytes[i]] == None) return 0;
            spelled[i] = ids[bytes[i]];
        }
        return count;
    }
}
