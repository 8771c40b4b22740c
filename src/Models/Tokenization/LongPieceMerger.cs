using System.Buffers;
using System.Text;

namespace Inference.Models;

/// <summary>
/// Byte-pair merging of pieces of any length in O(n log n), with the package's results; its second copy of the merge list is made when a text first needs it.
/// </summary>
internal sealed class LongPieceMerger
{
    private const int None = -1;

    private readonly int[] byteIds = new int[256];
    private readonly Dictionary<(int Left, int Right), (int Rank, int Id)> merges;

    public LongPieceMerger(VocabularyData vocabulary)
    {
        Dictionary<string, int> ids = BytePairPackage.IdsOfText(vocabulary);
        for (int value = 0; value < 256; value++)
            byteIds[value] = ids.TryGetValue(ByteAlphabet.Character((byte)value).ToString(), out int id) ? id : vocabulary.UnknownId ?? None;
        merges = new Dictionary<(int Left, int Right), (int Rank, int Id)>(vocabulary.Merges!.Length);
        var lookup = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        for (int rank = 0; rank < vocabulary.Merges.Length; rank++)
        {
            string merge = vocabulary.Merges[rank];
            int space = merge.IndexOf(' ');
            merges.TryAdd((lookup[merge.AsSpan(0, space)], lookup[merge.AsSpan(space + 1)]), (rank, ids[merge.Remove(space, 1)]));
        }
    }

    /// <summary>Appends the tokens of <paramref name="piece"/>. A byte without a token is left out, or is the unknown token if there is one.</summary>
    public void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        byte[] bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(piece.Length));
        int count = Encoding.UTF8.GetBytes(piece, bytes);
        using var chain = new SymbolChain(count);
        for (int i = 0; i < count; i++)
            if (byteIds[bytes[i]] != None) chain.Add(i, byteIds[bytes[i]]);
        ArrayPool<byte>.Shared.Return(bytes);
        chain.MergeAll(new PairRule(merges));
        for (int symbol = chain.First; symbol >= 0; symbol = chain.Next(symbol)) ids.Add(chain.Id(symbol));
    }

    private readonly struct PairRule(Dictionary<(int Left, int Right), (int Rank, int Id)> merges) : IMergeRule
    {
        public bool TryMerge(in SymbolChain chain, int left, int right, out int rank, out int id)
        {
            bool found = merges.TryGetValue((chain.Id(left), chain.Id(right)), out (int Rank, int Id) merge);
            (rank, id) = merge;
            return found;
        }
    }
}
