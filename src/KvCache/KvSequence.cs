namespace Inference.KvCache;

/// <summary>
/// Handle of a sequence's cache. Made once per request; it may be admitted, swapped out, released and admitted again any number of times. Its tokens
/// stay the same all the time, except behind a <see cref="KvAllocator.Truncate"/>.
/// </summary>
/// <param name="id">Name of the sequence in messages.</param>
/// <param name="root">What its blocks are found by beside their tokens (<see cref="PrefixChain.Root"/>): sequences of one root share them. Null: it neither finds nor leaves anything.</param>
internal sealed class KvSequence(long id, PrefixKey? root = null)
{
    /// <summary><see cref="TableSlot"/> of a sequence that is not admitted.</summary>
    public const int NoSlot = -1;

    public long Id { get; } = id;

    /// <summary>Whose blocks it shares; null: nobody's.</summary>
    public PrefixKey? Root { get; } = root;

    /// <summary>Tokens whose keys and values are in the cache, or in the swap space.</summary>
    public int Committed { get; internal set; }

    /// <summary>Tokens that blocks are held for, at least <see cref="Committed"/>; the difference is what a step in flight writes.</summary>
    public int Reserved { get; internal set; }

    /// <summary>Row of the device's block tables, 0..maxSequences-1, from admission to release; else <see cref="NoSlot"/>.</summary>
    public int TableSlot { get; internal set; } = NoSlot;

    /// <summary>Whether it holds a table slot and, mostly, blocks.</summary>
    public bool IsAdmitted => TableSlot != NoSlot;

    /// <summary>Whether its committed tokens are in the host's swap space (<see cref="KvAllocator.TrySwapIn"/>).</summary>
    public bool IsSwapped { get; internal set; }

    /// <summary>[group][i] block of the swap space that holds the i-th block that it reads, while it is swapped out.</summary>
    internal int[][]? SwapBlocks { get; set; }

    /// <summary>[group] keys of its full blocks, as far as they were needed; null before and without a root.</summary>
    internal PrefixChain[]? Chains { get; set; }
}
