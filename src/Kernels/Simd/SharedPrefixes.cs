namespace Inference.Kernels;

/// <summary>A partition whose blocks several sequences have in common: their queries are computed in one pass over its K and V.</summary>
/// <param name="Partition">The partition; every member sees all of it.</param>
/// <param name="First">Index of the first member.</param>
/// <param name="Count">Members.</param>
internal readonly record struct SharedPartition(int Partition, int First, int Count);

/// <summary>
/// Finds which decoding sequences of a step begin with the same physical blocks, partition by partition: that is where a prompt cache hit or a fork has put them.
/// Sharing whole partitions leaves a sequence's arithmetic as it is alone. (Prefix sharing as in arXiv 2402.05099 and 2402.15220, over pages.)
/// Time is linear in sequences and shared partitions: a partition's last block names the group, and the leader's blocks are compared.
/// </summary>
internal sealed class SharedPrefixes
{
    private SharedPartition[] shared = new SharedPartition[8];
    private int[] members = new int[64], leading = [], leader = [], size = [], firstMember = [], active = [];
    private int[] leaderOfBlock = [];
    private int count, memberCount;

    /// <summary>Shared partitions, those of a group of more than the limit in several pieces.</summary>
    public ReadOnlySpan<SharedPartition> Partitions => shared.AsSpan(0, count);

    /// <summary>Sequence of a member.</summary>
    public int Member(int index) => members[index];

    /// <summary>Leading partitions of a sequence that are computed together with others.</summary>
    public int Leading(int sequence) => leading[sequence];

    /// <param name="batch">The step.</param>
    /// <param name="blockSize">Tokens of a block.</param>
    /// <param name="blocks">Blocks of the pages.</param>
    /// <param name="most">Most members of a pass.</param>
    public void Find(StepBatch batch, int blockSize, int blocks, int most)
    {
        count = memberCount = 0;
        int sequences = batch.SequenceCount;
        if (leading.Length < sequences) (leading, leader, size, firstMember, active) = (new int[sequences], new int[sequences], new int[sequences], new int[sequences], new int[sequences]);
        Array.Clear(leading, 0, sequences);
        if (most < 2) return;
        if (leaderOfBlock.Length < blocks) leaderOfBlock = new int[blocks];
        int running = 0;
        // A chunk of a prompt has queries enough to pay for its pass over K and V.
        for (int s = 0; s < sequences; s++)
            if (batch.QueryCount[s] == 1) active[running++] = s;
        for (int partition = 0; running > 1; partition++)
        {
            int firstBlock = partition * Attention.Partition / blockSize, endBlock = ((partition + 1) * Attention.Partition + blockSize - 1) / blockSize;
            running = Find(batch, partition, firstBlock, endBlock - firstBlock, running, most);
        }
    }

    /// <summary>Groups the active sequences by their blocks of the partition and keeps those that have company.</summary>
    private int Find(StepBatch batch, int partition, int firstBlock, int blocks, int running, int most)
    {
        // The partition of the query's own position is never shared: this step writes there.
        int reach = 0;
        for (int i = 0; i < running; i++)
            if (batch.Positions[batch.QueryStart[active[i]]] >= (partition + 1) * Attention.Partition && (uint)Blocks(batch, active[i], firstBlock, blocks)[^1] < (uint)leaderOfBlock.Length) active[reach++] = active[i];
        for (int i = 0; i < reach; i++) leaderOfBlock[Blocks(batch, active[i], firstBlock, blocks)[^1]] = -1;
        for (int i = 0; i < reach; i++)
        {
            int s = active[i];
            ReadOnlySpan<int> own = Blocks(batch, s, firstBlock, blocks);
            ref int named = ref leaderOfBlock[own[^1]];
            if (named < 0) (named, size[s]) = (s, 0);
            leader[s] = own.SequenceEqual(Blocks(batch, named, firstBlock, blocks)) ? named : s;
            if (leader[s] == s) size[s] = 0;
            size[leader[s]]++;
        }
        int kept = 0;
        for (int i = 0; i < reach; i++)
        {
            int s = active[i], leads = leader[s];
            if (size[leads] < 2) continue;
            if (leads == s) firstMember[s] = Reserve(partition, size[s], most);
            members[firstMember[leads]++] = s;
            leading[s] = partition + 1;
            active[kept++] = s;
        }
        return kept;
    }

    private static ReadOnlySpan<int> Blocks(StepBatch batch, int sequence, int first, int count) =>
        batch.BlockTables.AsSpan(batch.TableSlot[sequence] * batch.Capacity.BlocksPerSequence + first, count);

    /// <summary>Room for a group's members, in pieces of nearly equal size.</summary>
    private int Reserve(int partition, int members, int most)
    {
        int first = memberCount, pieces = (members + most - 1) / most;
        if (count + pieces > shared.Length) Array.Resize(ref shared, 2 * (count + pieces));
        for (int i = 0; i < pieces; i++)
        {
            int from = (int)((long)members * i / pieces), to = (int)((long)members * (i + 1) / pieces);
            shared[count++] = new SharedPartition(partition, first + from, to - from);
        }
        memberCount += members;
        if (memberCount > this.members.Length) Array.Resize(ref this.members, 2 * memberCount);
        return first;
    }
}
