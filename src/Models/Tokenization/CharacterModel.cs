using System.Buffers;
using System.Runtime.InteropServices;

namespace Inference.Models;

/// <summary>
/// BPE over characters, as SentencePiece trains it: what has no token is spelled in byte tokens, or is the unknown token. A piece may be a whole text; it is
/// merged part by part, cut where no token reaches across.
/// </summary>
internal sealed class CharacterModel : TokenModel
{
    private const int None = -1;

    private readonly BytePairVocabulary vocabulary;
    private readonly PairMap merges;
    private readonly ByteFallback? fallback;
    private readonly CharacterPairs? joins;
    private readonly PieceCache cache = new();
    private readonly int[] characterIds = new int[0x10000];

    /// <param name="vocabulary">Tokens and merges.</param>
    /// <param name="merges">From two tokens to rank and merged token; equal ranks merge leftmost first.</param>
    /// <param name="fallback">Byte tokens, if what has no token is spelled in them.</param>
    public CharacterModel(BytePairVocabulary vocabulary, PairMap merges, ByteFallback? fallback)
    {
        this.vocabulary = vocabulary;
        this.merges = merges;
        this.fallback = fallback;
        Array.Fill(characterIds, None);
        foreach ((string token, int id) in vocabulary.Ids)
            if (token.Length == 1) characterIds[token[0]] = id;
        var pairs = new CharacterPairs();
        bool mergesBytes = false;
        foreach ((int left, int right, int _) in vocabulary.Merges)
        {
            string leftToken = vocabulary.Tokens[left], rightToken = vocabulary.Tokens[right];
            pairs.Add(leftToken[^1], rightToken[0]);
            mergesBytes |= fallback is not null && ((leftToken.Length == 6 && fallback.Contains(left)) || (rightToken.Length == 6 && fallback.Contains(right)));
        }
        // A merge of bytes joins characters that stand for none of the bytes.
        if (!mergesBytes) joins = pairs;
    }

    /// <summary>A run of characters without tokens is one unknown token.</summary>
    public bool FusesUnknown { get; init; } = true;

    /// <summary>A piece that is a token as a whole is that token, whatever the merges would give.</summary>
    public bool WholePiecesFirst { get; init; }

    public override void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (WholePiecesFirst && vocabulary.Ids.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(piece, out int whole))
        {
            ids.Add(whole);
            return;
        }
        bool afterUnknown = false;
        int start = 0;
        for (int i = 1; i < piece.Length && joins is not null; i++)
        {
            if (joins.MayJoin(piece[i - 1], piece[i]) || char.IsLowSurrogate(piece[i])) continue;
            EncodePart(piece[start..i], ref afterUnknown, ids);
            start = i;
        }
        EncodePart(piece[start..], ref afterUnknown, ids);
    }

    private void EncodePart(ReadOnlySpan<char> part, ref bool afterUnknown, List<int> ids)
    {
        if (part.Length == 1 && characterIds[part[0]] != None)
        {
            ids.Add(characterIds[part[0]]);
            afterUnknown = false;
        }
        else if (cache.TryAppend(part, ids)) afterUnknown = false;
        else
        {
            int before = ids.Count;
            if (!Merge(part, ref afterUnknown, ids)) cache.Add(part, CollectionsMarshal.AsSpan(ids)[before..]);
        }
    }

    /// <returns>Whether there are unknown characters, so that the tokens depend on what stands before.</returns>
    private bool Merge(ReadOnlySpan<char> part, ref bool afterUnknown, List<int> ids)
    {
        const int shortPart = 64;
        int[]? rented = part.Length > shortPart ? ArrayPool<int>.Shared.Rent(part.Length * 4) : null;
        Span<int> symbols = rented ?? stackalloc int[shortPart * 4];
        int count = 0;
        bool anyUnknown = false;
        var lookup = vocabulary.Ids.GetAlternateLookup<ReadOnlySpan<char>>();
        for (int i = 0; i < part.Length; i++)
        {
            int width = char.IsHighSurrogate(part[i]) ? 2 : 1;
            ReadOnlySpan<char> character = part.Slice(i, width);
            i += width - 1;
            int id = width == 1 ? characterIds[character[0]] : lookup.TryGetValue(character, out int found) ? found : None;
            int bytes = 0;
            if (id != None) symbols[count++] = id;
            else if ((bytes = fallback?.Spell(character, symbols[count..]) ?? 0) > 0) count += bytes;
            else
            {
                anyUnknown = true;
                if (vocabulary.UnknownId is { } unknown && !(afterUnknown && FusesUnknown)) symbols[count++] = unknown;
                afterUnknown = true;
                continue;
            }
            afterUnknown = false;
        }
        ids.AddRange(symbols[..PairMerger.Merge(merges, symbols[..count])]);
        if (rented is not null) ArrayPool<int>.Shared.Return(rented);
        return anyUnknown;
    }
}
