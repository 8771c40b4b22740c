namespace Inference.Kernels;

/// <summary>Consecutive rows of one sequence, or decode rows of several that share a partition, and a run of partitions: what one thread does for one kv head.</summary>
/// <param name="FirstRow">Row in the batch; of a shared item the first of its members.</param>
/// <param name="Rows">Rows, all in one tile of 16 positions; of a shared item its members.</param>
/// <param name="FirstPosition">Position of the first row.</param>
/// <param name="Table">Index of the sequence's first entry in <see cref="StepBatch.BlockTables"/>.</param>
/// <param name="FirstPartition">First partition to compute.</param>
/// <param name="EndPartition">One past the last.</param>
/// <param name="Split">Index of the split that the item is part of, <see cref="Whole"/> when it covers all partitions, or <see cref="Shared"/> when its rows belong to several splits.</param>
internal readonly record struct AttentionItem(int FirstRow, int Rows, int FirstPosition, int Table, int FirstPartition, int EndPartition, int Split)
{
    public const int Whole = -1, Shared = -2;
}

/// <summary>Rows whose partitions are spread over several items; whoever finishes last merges.</summary>
/// <param name="Partitions">Partitions in all.</param>
/// <param name="Parts">Items.</param>
/// <param name="Offset">First partial of kv head 0, counted in (partition, query) pairs.</param>
internal readonly record struct AttentionSplit(int Partitions, int Parts, long Offset);

/// <summary>
/// Cuts a step's attention into items. Any cut gives the same bits, so the choice is about balance only: at most <see cref="MaxQueries"/> queries share a
/// pass over K and V, costly items (later rows) come first, and an item that would keep one thread busy for too long is split over partitions.
/// </summary>
internal sealed class AttentionPlan
{
    /// <summary>Queries of an item where the group allows it. 64 gained 5-15 % over 32 (dims 64 and 128): more work per widened tile outweighs the first-level cache.</summary>
    public const int MaxQueries = 64;

    private readonly SharedPrefixes prefixes = new();
    private AttentionItem[] items = new AttentionItem[64];
    private AttentionSplit[] splits = new AttentionSplit[8];
    private int[] splitOfSequence = [];

    /// <summary>Items in use; each is done once per kv head.</summary>
    public int Count { get; private set; }

    /// <summary>Splits in use.</summary>
    public int SplitCount { get; private set; }

    /// <summary>(partition, query) pairs of all splits and kv heads.</summary>
    public long Partials { get; private set; }

    /// <summary>Positions of an item at most: a power of two, so that items aligned to it never cross a tile.</summary>
    public int PositionsPerItem { get; private set; }

    /// <summary>Queries of an item at most.</summary>
    public int Queries { get; private set; }

    public ref readonly AttentionItem Item(int index) => ref items[index];
    public ref readonly AttentionSplit Split(int index) => ref splits[index];

    /// <summary>Sequence of a member of a shared item.</summary>
    public int Member(int index) => prefixes.Member(index);

    /// <summary>Split of a sequence that is a member of a shared item.</summary>
    public int SplitOf(int sequence) => splitOfSequence[sequence];

    /// <param name="batch">The step; rows of a sequence have consecutive positions.</param>
    /// <param name="kvHeads">Chunks of an item.</param>
    /// <param name="group">Query heads of a kv head.</param>
    /// <param name="threads">Threads to keep busy.</param>
    /// <param name="blockSize">Tokens of a block.</param>
    /// <param name="blocks">Blocks of the pages.</param>
    /// <param name="share">Whether to read partitions that sequences have in common once for all of them.</param>
    public void Build(StepBatch batch, int kvHeads, int group, int threads, int blockSize, int blocks, bool share)
    {
        PositionsPerItem = 1;
        while (PositionsPerItem < TiledPages.TileTokens && 2 * PositionsPerItem * group <= MaxQueries) PositionsPerItem *= 2;
        int members = Math.Max(1, MaxQueries / group);
        Queries = Math.Max(PositionsPerItem, members) * group;
        Count = SplitCount = 0;
        Partials = 0;
        prefixes.Find(batch, blockSize, blocks, share ? members : 1);
        if (splitOfSequence.Length < batch.SequenceCount) splitOfSequence = new int[batch.Capacity.Sequences];
        long total = 0;
        foreach (SharedPartition shared in prefixes.Partitions)
        {
            int leader = prefixes.Member(shared.First);
            Emit(new AttentionItem(shared.First, shared.Count, (shared.Partition + 1) * Attention.Partition, Table(batch, leader), shared.Partition, shared.Partition + 1, AttentionItem.Shared));
            total += Cost(Attention.Partition / TiledPages.TileTokens, shared.Count * group);
        }
        for (int s = 0; s < batch.SequenceCount; s++) total += Add(batch, s, group, kvHeads, long.MaxValue, emit: false);
        // A thread's share in four parts: coarse enough to pay for a claim, fine enough to even out a thread that the system takes away.
        long part = threads == 1 ? long.MaxValue : Math.Max(total * kvHeads / (threads * 4L), MinPart);
        for (int s = 0; s < batch.SequenceCount; s++) Add(batch, s, group, kvHeads, part, emit: true);
    }

    /// <summary>Least cost of a part: one partition for up to four queries, some 3 us.</summary>
    private const long MinPart = Attention.Partition / TiledPages.TileTokens * 2;

    private long Add(StepBatch batch, int sequence, int group, int kvHeads, long part, bool emit)
    {
        int start = batch.Positions[batch.QueryStart[sequence]], end = start + batch.QueryCount[sequence];
        int table = Table(batch, sequence), leading = prefixes.Leading(sequence);
        long total = 0;
        for (int last = end; last > start;)
        {
            int first = Math.Max(start, (last - 1) / PositionsPerItem * PositionsPerItem), rows = last - first;
            int tiles = (last - 1) / TiledPages.TileTokens + 1, partitions = (last - 1) / Attention.Partition + 1;
            long cost = Cost(tiles - leading * (Attention.Partition / TiledPages.TileTokens), rows * group);
            total += cost;
            last = first;
            if (!emit) continue;
            int row = batch.QueryStart[sequence] + first - start;
            int own = partitions - leading, parts = cost <= part ? 1 : (int)Math.Min(own, (cost + part - 1) / part);
            if (leading > 0) splitOfSequence[sequence] = SplitCount;
            if (leading == 0 && parts == 1) Emit(new AttentionItem(row, rows, first, table, 0, partitions, AttentionItem.Whole));
            else EmitSplit(new AttentionItem(row, rows, first, table, leading, partitions, SplitCount), parts, kvHeads, rows * group);
        }
        return total;
    }

    private static int Table(StepBatch batch, int sequence) => batch.TableSlot[sequence] * batch.Capacity.BlocksPerSequence;

    /// <summary>A tile is fetched once, and computed for four queries at a time.</summary>
    private static long Cost(int tiles, int queries) => (long)tiles * (1 + (queries + 3) / 4);

    /// <param name="whole">All partitions that are not computed together with other sequences.</param>
    /// <param name="parts">Items to make of them.</param>
    /// <param name="kvHeads">Chunks of an item.</param>
    /// <param name="queries">Queries of a kv head.</param>
    private void EmitSplit(AttentionItem whole, int parts, int kvHeads, int queries)
    {
        if (SplitCount == splits.Length) Array.Resize(ref splits, 2 * SplitCount);
        int leading = whole.FirstPartition, partitions = whole.EndPartition, own = partitions - leading;
        splits[SplitCount++] = new AttentionSplit(partitions, leading + parts, Partials);
        Partials += (long)partitions * queries * kvHeads;
        for (int i = 0; i < parts; i++)
            Emit(whole with { FirstPartition = leading + (int)((long)own * i / parts), EndPartition = leading + (int)((long)own * (i + 1) / parts) });
    }

    private void Emit(in AttentionItem item)
    {
        if (Count == items.Length) Array.Resize(ref items, 2 * Count);
        items[Count++] = item;
    }
}
