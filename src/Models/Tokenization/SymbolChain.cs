using System.Buffers;

namespace Inference.Models;

/// <summary>Says which neighbours merge, and how early.</summary>
internal interface IMergeRule
{
    /// <param name="chain">The symbols.</param>
    /// <param name="left">A symbol.</param>
    /// <param name="right">The one after it.</param>
    /// <param name="rank">Lower merges first.</param>
    /// <param name="id">Token of the merged symbol.</param>
    bool TryMerge(in SymbolChain chain, int left, int right, out int rank, out int id);
}

/// <summary>
/// Byte-pair merging of one stretch of text in O(n log n): a doubly linked list of symbols and a heap of candidate merges, lowest rank first and among
/// equals the leftmost. Symbols are numbered in the order in which they were added; a merged symbol keeps the number of its left part.
/// </summary>
internal ref struct SymbolChain : IDisposable
{
    private const int End = -1;
    private const int Removed = -2;

    private readonly int[] rented;
    private readonly Span<int> ids;
    private readonly Span<int> starts;
    private readonly Span<int> next;
    private readonly Span<int> previous;
    private int count;

    /// <param name="capacity">Most symbols that will be added.</param>
    public SymbolChain(int capacity)
    {
        rented = ArrayPool<int>.Shared.Rent(capacity * 4);
        ids = rented.AsSpan(0, capacity);
        starts = rented.AsSpan(capacity, capacity);
        next = rented.AsSpan(2 * capacity, capacity);
        previous = rented.AsSpan(3 * capacity, capacity);
    }

    /// <summary>The first symbol; -1 when there is none.</summary>
    public readonly int First => count == 0 ? End : 0;

    /// <summary>Where in the text a symbol starts.</summary>
    public readonly int Start(int symbol) => starts[symbol];

    /// <summary>A symbol's token, or what was given to <see cref="Add"/>.</summary>
    public readonly int Id(int symbol) => ids[symbol];

    /// <summary>The symbol after this one; -1 after the last.</summary>
    public readonly int Next(int symbol) => next[symbol];

    public void Add(int start, int id)
    {
        ids[count] = id;
        starts[count] = start;
        previous[count] = count - 1;
        next[count] = End;
        if (count > 0) next[count - 1] = count;
        count++;
    }

    /// <summary>Merges until no neighbours merge any more.</summary>
    public readonly void MergeAll<TRule>(scoped in TRule rule) where TRule : IMergeRule, allows ref struct
    {
        var queue = new PriorityQueue<int, ulong>(count);
        for (int symbol = 0; symbol < count - 1; symbol++) Offer(queue, rule, symbol);
        while (queue.TryDequeue(out int left, out ulong priority))
        {
            // An entry is out of date when its left symbol is gone or its pair now merges at another rank (or not at all).
            int right = next[left];
            if (right < 0 || !rule.TryMerge(this, left, right, out int rank, out int id) || (uint)rank != priority >> 32) continue;
            int after = next[right];
            ids[left] = id;
            next[left] = after;
            next[right] = Removed;
            if (after >= 0)
            {
                previous[after] = left;
                Offer(queue, rule, left);
            }
            if (previous[left] >= 0) Offer(queue, rule, previous[left]);
        }
    }

    public readonly void Dispose() => ArrayPool<int>.Shared.Return(rented);

    private readonly void Offer<TRule>(PriorityQueue<int, ulong> queue, scoped in TRule rule, int left) where TRule : IMergeRule, allows ref struct
    {
        if (rule.TryMerge(this, left, next[left], out int rank, out _)) queue.Enqueue(left, (ulong)(uint)rank << 32 | (uint)left);
    }
}
