namespace Inference.KvCache;

/// <summary>Layers that share one block table per sequence, and the blocks they have: block b holds the same tokens in every layer of the group.</summary>
/// <param name="Layers">Layers of the group, at least 1.</param>
/// <param name="Kind">What is kept of a sequence.</param>
/// <param name="BlockSize">Tokens in a block, at least 1. Kernel sets ask for more (multiples of 16 up to 256), bookkeeping does not.</param>
/// <param name="Blocks">Blocks in the pool of the group, at least 1.</param>
internal sealed record CacheGroup(int Layers, CacheKind Kind, int BlockSize, int Blocks)
{
    /// <summary>Tokens that an empty pool has room for; the product may exceed an int, no sequence does.</summary>
    public int Capacity => (int)Math.Min((long)Blocks * BlockSize, int.MaxValue);

    /// <summary>Table entries that cover positions 0..length-1.</summary>
    public int BlocksFor(int length) => (int)(((long)length + BlockSize - 1) / BlockSize);

    /// <summary>Most entries of a sequence's table: one that drops none at the front holds at most all blocks of the pool, however long sequences may be.</summary>
    public int TableEntries(int maxLength) => Kind == CacheKind.Full ? Math.Min(BlocksFor(maxLength), Blocks) : BlocksFor(maxLength);

    internal void Check()
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Layers);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(BlockSize);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(Blocks);
        ArgumentNullException.ThrowIfNull(Kind);
    }
}
