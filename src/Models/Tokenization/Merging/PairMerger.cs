using System.Buffers;

namespace Inference.Models;

/// <summary>
/// Byte-pair merging: of all neighbours that merge, those of the lowest rank first, and among equals the leftmost, until none merges any more.
/// </summary>
internal static class PairMerger
{
    // Up to here a scan of all ranks is faster than a heap.
    private const int ShortPiece = 48;
    private const int Never = int.MaxValue, Removed = -2;

    /// <summary>Merges in place.</summary>
    /// <param name="merges">From two tokens to rank and merged token.</param>
    /// <param name="ids">The tokens.</param>
    /// <returns>How many are left, at the front of <paramref name="ids"/>.</returns>
    public static int Merge(PairMap merges, Span<int> ids) => ids.Length < 2 ? ids.Length : ids.Length <= ShortPiece ? MergeShort(merges, ids) : MergeLong(merges, ids);

    private static int MergeShort(PairMap merges, Span<int> ids)
    {
        Span<int> ranks = stackalloc int[ShortPiece];
        Span<int> merged = stackalloc int[ShortPiece];
        int count = ids.Length;
        for (int i = 0; i + 1 < count; i++) ranks[i] = merges.TryGet(ids[i], ids[i + 1], out int rank, out merged[i]) ? rank : Never;
        while (count > 1)
        {
            int best = 0;
            for (int i = 1; i < count - 1; i++)
                if (ranks[i] < ranks[best]) best = i;
            if (ranks[best] == Never) break;
            ids[best] = merged[best];
            ids[(best + 2)..count].CopyTo(ids[(best + 1)..]);
            ranks[(best + 1)..(count - 1)].CopyTo(ranks[best..]);
            merged[(best + 1)..(count - 1)].CopyTo(merged[best..]);
            count--;
            for (int i = Math.Max(0, best - 1); i <= best && i + 1 < count; i++) ranks[i] = merges.TryGet(ids[i], ids[i + 1], out int rank, out merged[i]) ? rank : Never;
        }
        return count;
    }

    /// <summary>O(n log n): a doubly linked list of tokens and a heap of candidates.</summary>
    private static int MergeLong(PairMap merges, Span<int> ids)
    {
        int count = ids.Length;
        int[] rented = ArrayPool<int>.Shared.Rent(count * 2);
        Span<int> next = rented.AsSpan(0, count), previous = rented.AsSpan(count, count);
        var candidates = new PriorityQueue<int, ulong>(count);
        for (int i = 0; i < count; i++) (next[i], previous[i]) = (i + 1, i - 1);
        for (int i = 0; i + 1 < count; i++) Offer(merges, candidates, ids, i, i + 1);
        while (candidates.TryDequeue(out int left, out ulong priority))
        {
            // A candidate is out of date when its left token is gone or its pair now merges at another rank, or not at all.
            int right = next[left];
            if (right == Removed || right == count || !merges.TryGet(ids[left], ids[right], out int rank, out int id) || (uint)rank != priority >> 32) continue;
            int after = next[right];
            ids[left] = id;
            next[left] = after;
            next[right] = Removed;
            if (after < count)
            {
                previous[after] = left;
                Offer(merges, candidates, ids, left, after);
            }
            if (previous[left] >= 0) Offer(merges, candidates, ids, previous[left], left);
        }
        int kept = 0;
        for (int i = 0; i < count; i++)
            if (next[i] != Removed) ids[kept++] = ids[i];
        ArrayPool<int>.Shared.Return(rented);
        return kept;
    }

    private static void Offer(PairMap merges, PriorityQueue<int, ulong> candidates, Span<int> ids, int left, int right)
    {
        if (merges.TryGet(ids[left], ids[right], out int rank, out _)) candidates.Enqueue(left, (ulong)(uint)rank << 32 | (uint)left);
    }
}
