using System.Buffers;
using System.Runtime.InteropServices;

namespace Inference.Models;

/// <summary>The segmentation of highest total score (Viterbi); characters without a token cost more than any that have one.</summary>
internal sealed class UnigramModel : TokenModel
{
    private const double UnknownPenalty = 10;

    private readonly TokenTrie trie;
    private readonly double[] scores;
    private readonly double unknownScore;
    private readonly int? unknownId;
    private readonly ByteFallback? fallback;
    private readonly PieceCache cache = new();

    /// <param name="tokens">Spelling of every token; an empty one is never found.</param>
    /// <param name="scores">Their logarithmic probabilities.</param>
    /// <param name="isText">Which tokens text can give.</param>
    /// <param name="unknownId">Stands for what has no token.</param>
    /// <param name="fallback">Byte tokens, if what has no token is spelled in them.</param>
    public UnigramModel(string[] tokens, double[] scores, Func<int, bool> isText, int? unknownId, ByteFallback? fallback)
    {
        this.scores = scores;
        this.unknownId = unknownId;
        this.fallback = fallback;
        trie = new TokenTrie(tokens.Length * 4);
        for (int id = 0; id < tokens.Length; id++)
            if (isText(id)) trie.Add(tokens[id], id);
        unknownScore = scores.DefaultIfEmpty().Min() - UnknownPenalty;
    }

    public override void Encode(ReadOnlySpan<char> piece, List<int> ids)
    {
        if (cache.TryAppend(piece, ids)) return;
        int before = ids.Count;
        Segment(piece, ids);
        cache.Add(piece, CollectionsMarshal.AsSpan(ids)[before..]);
    }

    private void Segment(ReadOnlySpan<char> piece, List<int> ids)
    {
        Node[] best = ArrayPool<Node>.Shared.Rent(piece.Length + 1);
        Span<Node> nodes = best.AsSpan(0, piece.Length + 1);
        nodes.Fill(new Node(0, -1, Node.Unknown));
        for (int start = 0; start < piece.Length;)
        {
            double scoreHere = nodes[start].Score;
            int width = char.IsHighSurrogate(piece[start]) ? 2 : 1;
            bool hasCharacter = false;
            TokenTrie.Prefixes prefixes = trie.EnumeratePrefixes(piece[start..]);
            while (prefixes.MoveNext())
            {
                Offer(ref nodes[start + prefixes.Length], scores[prefixes.Id] + scoreHere, start, prefixes.Id);
                hasCharacter |= prefixes.Length == width;
            }
            if (!hasCharacter) Offer(ref nodes[start + width], unknownScore + scoreHere, start, Node.Unknown);
            start += width;
        }
        // From the end back to the start, then turned round.
        int first = ids.Count;
        for (int end = piece.Length; end > 0;)
        {
            Node node = nodes[end];
            int start = node.Start;
            if (node.Id != Node.Unknown) ids.Add(node.Id);
            else
            {
                // A run of unknown characters is one.
                while (start > 0 && nodes[start].Id == Node.Unknown) start = nodes[start].Start;
                AddUnknownReversed(piece[start..end], ids);
            }
            end = start;
        }
        ids.Reverse(first, ids.Count - first);
        ArrayPool<Node>.Shared.Return(best);
    }

    private static void Offer(ref Node node, double score, int start, int id)
    {
        if (node.Start < 0 || score > node.Score) node = new Node(score, start, id);
    }

    private void AddUnknownReversed(ReadOnlySpan<char> run, List<int> ids)
    {
        int first = ids.Count;
        Span<int> bytes = stackalloc int[4];
        for (int i = 0; i < run.Length && fallback is not null; i++)
        {
            int width = char.IsHighSurrogate(run[i]) ? 2 : 1;
            int count = fallback.Spell(run.Slice(i, width), bytes);
            if (count == 0)
            {
                ids.RemoveRange(first, ids.Count - first);
                break;
            }
            ids.AddRange(bytes[..count]);
            i += width - 1;
        }
        if (ids.Count > first) ids.Reverse(first, ids.Count - first);
        else if (unknownId is { } unknown) ids.Add(unknown);
    }

    private readonly record struct Node(double Score, int Start, int Id)
    {
        public const int Unknown = -1;
    }
}
