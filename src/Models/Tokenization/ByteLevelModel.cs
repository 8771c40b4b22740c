using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML.Tokenizers;

namespace Inference.Models;

/// <summary>Byte-level BPE: the UTF-8 bytes of a piece merge in the order of the merge list.</summary>
internal sealed class ByteLevelModel : TokenModel
{
    /// <summary>
    /// Longest piece, in bytes, that the package encodes: most words. Its time grows with the square of the length (1 MB of one letter takes 40 to 70 s),
    /// and beyond this <see cref="PairMerger"/> is several times as fast.
    /// </summary>
    private const int LongestPackagePiece = 8;

    private const int None = -1, LongestWhole = 128;

    private readonly BytePairVocabulary vocabulary;
    private readonly bool wholePiecesFirst;
    private readonly PieceCache cache = new();
    private readonly int[] byteIds = new int[256];
    private readonly Lazy<PairMap> merges;
    private readonly Task<BpeTokenizer?>? package;

    /// <param name="vocabulary">Tokens spelled in <see cref="ByteAlphabet"/>.</param>
    /// <param name="wholePiecesFirst">A piece that is a token as a whole is that token, whatever the merges would give.</param>
    public ByteLevelModel(BytePairVocabulary vocabulary, bool wholePiecesFirst)
    {
        this.vocabulary = vocabulary;
        this.wholePiecesFirst = wholePiecesFirst;
        for (int value = 0; value < 256; value++)
            byteIds[value] = vocabulary.Ids.TryGetValue(ByteAlphabet.Character((byte)value).ToString(), out int id) ? id : None;
        merges = new Lazy<PairMap>(vocabulary.MakeMap);
        // Making it takes longer than reading the file. What is encoded before it is ready has the same tokens from our merging.
        if (!byteIds.Contains(None)) package = Task.Run(() => BytePairPackage.Create(vocabulary));
    }

    public override void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (cache.TryAppend(piece, ids)) return;
        int before = ids.Count;
        if (wholePiecesFirst && TryFindWhole(piece, out int id)) ids.Add(id);
        else if (Encoding.UTF8.GetByteCount(piece) <= LongestPackagePiece && package is { IsCompletedSuccessfully: true, Result: { } tokenizer }) ids.AddRange(tokenizer.EncodeToIds(piece, considerPreTokenization: false, considerNormalization: false));
        else Merge(piece, ids);
        cache.Add(piece, CollectionsMarshal.AsSpan(ids)[before..]);
    }

    private bool TryFindWhole(ReadOnlySpan<char> piece, out int id)
    {
        id = 0;
        if (piece.Length > LongestWhole) return false;
        Span<char> spelled = stackalloc char[LongestWhole * 3];
        return vocabulary.Ids.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(spelled[..ByteAlphabet.Spell(piece, spelled)], out id);
    }

    private void Merge(ReadOnlySpan<char> piece, List<int> ids)
    {
        int count = Encoding.UTF8.GetByteCount(piece);
        byte[] bytes = ArrayPool<byte>.Shared.Rent(count);
        int[] symbols = ArrayPool<int>.Shared.Rent(count);
        Encoding.UTF8.GetBytes(piece, bytes);
        int known = 0;
        for (int i = 0; i < count; i++)
        {
            int id = byteIds[bytes[i]];
            if (id == None) id = vocabulary.UnknownId ?? None;
            if (id != None) symbols[known++] = id;
        }
        ids.AddRange(symbols.AsSpan(0, PairMerger.Merge(merges.Value, symbols.AsSpan(0, known))));
        ArrayPool<byte>.Shared.Return(bytes);
        ArrayPool<int>.Shared.Return(symbols);
    }
}
