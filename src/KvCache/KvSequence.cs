namespace Inference.KvCache;

/// <summary>
/// Handle of a sequence's cache. Made once per request or conversation; it may be admitted, parked, resumed, released and admitted again any
/// number of times.
/// </summary>
/// <param name="id">Name of the sequence in messages.</param>
internal sealed class KvSequence(long id)
{
    /// <summary><see cref="TableSlot"/> of a sequence that is not admitted.</summary>
    public const int NoSlot = -1;

    public long Id { get; } = id;

    /// <summary>Tokens whose keys and values are in the cache.</summary>
    public int Committed { get; internal set; }

    /// <summary>Tokens that blocks are held for, at least <see cref="Committed"/>; the difference is what a step in flight writes.</summary>
    public int Reserved { get; internal set; }

    /// <summary>Row of the device's block tables, 0..maxSequences-1, from admission to release; else <see cref="NoSlot"/>.</summary>
    public int TableSlot { get; internal set; } = NoSlot;

    /// <summary>Whether it holds a table slot and, mostly, blocks; an idle sequence does too.</summary>
    public bool IsAdmitted => TableSlot != NoSlot;

    /// <summary>Whether it waits for <see cref="KvAllocator.Resume"/> with what it has, until somebody needs that.</summary>
    public bool IsIdle => IdleNode?.List is not null;

    /// <summary>Its place among the idle sequences, made when it is parked first.</summary>
    internal LinkedListNode<KvSequence>? IdleNode { get; set; }
}
