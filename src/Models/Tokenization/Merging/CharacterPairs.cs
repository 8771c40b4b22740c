namespace Inference.Models;

/// <summary>
/// Which two characters can stand side by side inside a token. Between all others no merge ever reaches across, so text can be cut there and merged part by part.
/// A hash of the pair stands for the pair: a wrong hit only leaves a cut unused.
/// </summary>
internal sealed class CharacterPairs
{
    private const int Bits = 20;
    private readonly ulong[] seen = new ulong[(1 << Bits) / 64];

    /// <summary>The end of <paramref name="left"/> may be joined to the start of <paramref name="right"/>.</summary>
    public void Add(char left, char right)
    {
        uint hash = Hash(left, right);
        seen[hash >> 6] |= 1UL << (int)hash;
    }

    public bool MayJoin(char left, char right)
    {
        uint hash = Hash(left, right);
        return (seen[hash >> 6] >> (int)hash & 1) != 0;
    }

    private static uint Hash(char left, char right) => ((uint)left << 16 | right) * 0x9E3779B1u >> 32 - Bits;
}
