using ILGPU;
using ILGPU.Algorithms;

namespace Inference.Kernels;

/// <summary>One group's share of attention: some rows of one sequence, over all their partitions or over one of them.</summary>
internal struct AttentionWork
{
    /// <summary>First row, and rows.</summary>
    public int Row, Rows;

    /// <summary>The partition to do, or -1 for all of the rows', which writes the output.</summary>
    public int Partition;

    /// <summary>Where the partial result goes.</summary>
    public int Slot;
}

/// <summary>A row whose partitions were done apart.</summary>
internal struct MergeWork
{
    public int Row;

    /// <summary>Index of the row in its tile.</summary>
    public int TileRow;

    /// <summary>Slot of partition 0; the others follow.</summary>
    public int Slot;

    public int Partitions;
}

/// <summary>Partial results: of one slot [tile row][head], so many heads times rows of a tile to a slot.</summary>
internal struct PartialSums
{
    /// <summary>[slot][tile row][head][valueDim] weighted sums.</summary>
    public ArrayView<float> Values;

    /// <summary>[slot][tile row][head][2] greatest score, and sum of weights.</summary>
    public ArrayView<float> MaxSum;

    public int TileRows, Heads;
}

/// <summary>The arguments of <see cref="AttentionKernel"/>.</summary>
internal struct AttentionArgs
{
    /// <summary>[rows][heads * keyDim]</summary>
    public ArrayView<float> Q;

    /// <summary>[rows][heads * valueDim]</summary>
    public ArrayView<float> Output;

    public PagesView Pages;

    /// <summary>[table slot][BlocksPerSequence]</summary>
    public ArrayView<int> Tables;

    /// <summary>[row] its position, and its row of Tables.</summary>
    public ArrayView<int> Positions, RowTables;

    public ArrayView<AttentionWork> Work;
    public PartialSums Partial;
    public int BlocksPerSequence;

    /// <summary>Query heads to a KV head; and query heads of one group, at most the tile.</summary>
    public int GroupHeads, TileHeads;

    public float Scale;
}

/// <summary>
/// softmax(scale * q . k) v over pages, walking the block table. A group takes one KV head, a tile of queries (rows of a sequence times query heads)
/// and one partition of 256 positions after the other: scores (a thread to a position), softmax (SoftmaxLanes partial sums in order), weighted
/// values (ValueSplits partial sums in order, a thread to 8 dims), then the fold into the running result. Float32 throughout. A query's
/// result depends on its own positions only: a group that does all partitions and groups that do one each, merged, give the same bits.
/// Grid (work, kvHeads * tiles of a KV head's query heads), AttentionThreads threads.
/// </summary>
internal static class AttentionKernel
{
    /// <summary>Stands for minus infinity: finite, so that no difference is NaN.</summary>
    public const float Masked = -1e30f;

    /// <param name="a">Arguments; TDim is at least both head dims.</param>
    public static void Run<TKey, TValue, TIsa, TGroups, TDim, TScores, TSums>(AttentionArgs a)
        where TKey : struct, IKvElement where TValue : struct, IKvElement where TIsa : struct, IIsa where TGroups : struct, IGroups where TDim : struct, IConst
        where TScores : struct, IScoreTile<TScores> where TSums : struct, ISumTile<TSums>
    {
        const int partition = Attention.Partition;
        int t = Group.IdxX, stride = TDim.Value / 4;
        // [query][stride] the queries, and the running result; [split][query][stride] one partition's weighted values
        ArrayView<Float4> q = SharedMemory.Allocate<Float4>(TScores.Count * TDim.Value / 4);
        ArrayView<Float4> result = SharedMemory.Allocate<Float4>(TScores.Count * TDim.Value / 4);
        ArrayView<Float4> splits = SharedMemory.Allocate<Float4>(TGroups.ValueSplits * TScores.Count * TDim.Value / 4);
        // [query][partition] scores, then weights; [query][lane] what a lane found; [position] rows of the values
        ArrayView<float> scores = SharedMemory.Allocate<float>(TScores.Count * partition);
        ArrayView<float> lanes = SharedMemory.Allocate<float>(TScores.Count * TGroups.SoftmaxLanes);
        ArrayView<int> valueRows = SharedMemory.Allocate<int>(partition);
        // [query] last position; greatest score and sum of weights so far; greatest score of the partition; factors of the fold
        ArrayView<int> limits = SharedMemory.Allocate<int>(TScores.Count);
        ArrayView<float> running = SharedMemory.Allocate<float>(TScores.Count);
        ArrayView<float> weightSum = SharedMemory.Allocate<float>(TScores.Count);
        ArrayView<float> greatest = SharedMemory.Allocate<float>(TScores.Count);
        ArrayView<float> keep = SharedMemory.Allocate<float>(TScores.Count);
        ArrayView<float> add = SharedMemory.Allocate<float>(TScores.Count);

        AttentionWork work = a.Work[Grid.IdxX];
        int tilesPerKvHead = (int)((uint)Grid.DimY / (uint)a.Pages.KvHeads), kvHead = (int)((uint)Grid.IdxY / (uint)tilesPerKvHead);
        int headInGroup = (Grid.IdxY - kvHead * tilesPerKvHead) * a.TileHeads, firstHead = kvHead * a.GroupHeads + headInGroup;
        int tileHeads = Math.Min(a.TileHeads, a.GroupHeads - headInGroup), queries = work.Rows * tileHeads, heads = a.Pages.KvHeads * a.GroupHeads;
        int last = a.Positions[work.Row + work.Rows - 1]; // rows stand in order of position
        int table = a.RowTables[work.Row] * a.BlocksPerSequence;

        for (int i = t; i < TScores.Count * stride; i += TGroups.AttentionThreads)
        {
            int query = (int)((uint)i / (uint)stride), d4 = i - query * stride, keyDim = a.Pages.KeyDim;
            int tileRow = (int)((uint)query / (uint)tileHeads), head = firstHead + query - tileRow * tileHeads;
            bool used = query < queries && d4 * 4 < keyDim;
            long at = used ? ((long)(work.Row + tileRow) * heads + head) * keyDim + d4 * 4 : 0;
            q[i] = used ? new Float4 { X = a.Q[at], Y = a.Q[at + 1], Z = a.Q[at + 2], W = a.Q[at + 3] } : default;
            result[i] = default;
        }
        for (int query = t; query < TScores.Count; query += TGroups.AttentionThreads)
        {
            // A query that is not there sees no position.
            limits[query] = query < queries ? a.Positions[work.Row + (int)((uint)query / (uint)tileHeads)] : -1;
            running[query] = Masked;
            weightSum[query] = 0f;
        }
        Group.Barrier();

        int first = work.Partition < 0 ? 0 : work.Partition, end = work.Partition < 0 ? last / partition + 1 : work.Partition + 1;
        for (int p = first; p < end; p++)
        {
            int start = p * partition, count = Math.Min(partition, last + 1 - start);
            Scores<TKey, TIsa, TGroups, TScores>(a, q, scores, limits, valueRows, t, start, count, kvHead, table, stride);
            Group.Barrier();
            Weights<TGroups>(scores, lanes, greatest, t, TScores.Count, count);
            Group.Barrier();
            for (int query = t; query < TScores.Count; query += TGroups.AttentionThreads)
            {
                float sum = 0f;
                for (int i = 0; i < TGroups.SoftmaxLanes; i++) sum += lanes[query * TGroups.SoftmaxLanes + i];
                float next = Math.Max(running[query], greatest[query]);
                keep[query] = XMath.Exp(running[query] - next);
                add[query] = XMath.Exp(greatest[query] - next);
                weightSum[query] = AttentionMerge.Fold<TIsa>(weightSum[query], keep[query], sum, add[query]);
                running[query] = next;
            }
            Values<TValue, TIsa, TGroups, TSums>(a, scores, splits, valueRows, t, count, stride);
            Group.Barrier();

            for (int i = t; i < TScores.Count * stride; i += TGroups.AttentionThreads)
            {
                int query = (int)((uint)i / (uint)stride);
                if (start <= limits[query])
                {
                    Float4 sum = splits[i];
                    for (int s = 1; s < TGroups.ValueSplits; s++) sum += splits[s * TScores.Count * stride + i];
                    result[i] = AttentionMerge.Fold<TIsa>(result[i], keep[query], sum, add[query]);
                }
            }
            Group.Barrier();
        }

        for (int i = t; i < queries * stride; i += TGroups.AttentionThreads)
        {
            int query = (int)((uint)i / (uint)stride), d4 = i - query * stride, valueDim = a.Pages.ValueDim;
            int tileRow = (int)((uint)query / (uint)tileHeads), head = firstHead + query - tileRow * tileHeads;
            if (d4 * 4 >= valueDim) continue;
            if (work.Partition < 0)
            {
                Write(a.Output, ((long)(work.Row + tileRow) * heads + head) * valueDim + d4 * 4, AttentionMerge.Normalise(result[i], weightSum[query]));
            }
            else
            {
                long at = ((long)work.Slot * a.Partial.TileRows + tileRow) * heads + head;
                Write(a.Partial.Values, at * valueDim + d4 * 4, result[i]);
                if (d4 == 0)
                {
                    a.Partial.MaxSum[at * 2] = running[query];
                    a.Partial.MaxSum[at * 2 + 1] = weightSum[query];
                }
            }
        }
    }

    /// <summary>Scores of positions start .. start + count - 1, masked beyond each query's own position; also notes where their values lie.</summary>
    private static void Scores<TKey, TIsa, TGroups, TScores>(AttentionArgs a, ArrayView<Float4> q, ArrayView<float> scores, ArrayView<int> limits,
        ArrayView<int> valueRows, int t, int start, int count, int kvHead, int table, int stride)
        where TKey : struct, IKvElement where TIsa : struct, IIsa where TGroups : struct, IGroups where TScores : struct, IScoreTile<TScores>
    {
        int dims8 = a.Pages.KeyDim >> 3, blockSize = a.Pages.BlockSize;
        for (int i = t; i < count; i += TGroups.AttentionThreads)
        {
            int position = start + i, index = (int)((uint)position / (uint)blockSize), slot = position - index * blockSize;
            int page = a.Tables[table + index] * a.Pages.KvHeads + kvHead;
            valueRows[i] = page * blockSize + slot;
            TScores sums = default;
            for (int d8 = 0; d8 < dims8; d8++) sums = TScores.Add<TIsa>(sums, TKey.LoadKey<TIsa>(a.Pages, page, slot, d8), q, 2 * d8, stride);
            TScores.Store(sums, scores, i, Attention.Partition);
            for (int query = 0; query < TScores.Count; query++)
            {
                int at = query * Attention.Partition + i;
                scores[at] = position <= limits[query] ? scores[at] * a.Scale : Masked;
            }
        }
    }

    /// <summary>Turns scores into weights exp(score - greatest), and leaves each lane's sum of weights in lanes.</summary>
    private static void Weights<TGroups>(ArrayView<float> scores, ArrayView<float> lanes, ArrayView<float> greatest, int t, int queries, int count)
        where TGroups : struct, IGroups
    {
        const int partition = Attention.Partition;
        for (int unit = t; unit < queries * TGroups.SoftmaxLanes; unit += TGroups.AttentionThreads)
        {
            int query = (int)((uint)unit / (uint)TGroups.SoftmaxLanes), lane = (int)((uint)unit % (uint)TGroups.SoftmaxLanes);
            float max = Masked;
            for (int i = lane; i < count; i += TGroups.SoftmaxLanes) max = Math.Max(max, scores[query * partition + i]);
            lanes[unit] = max;
        }
        Group.Barrier();
        for (int query = t; query < queries; query += TGroups.AttentionThreads)
        {
            float max = Masked;
            for (int i = 0; i < TGroups.SoftmaxLanes; i++) max = Math.Max(max, lanes[query * TGroups.SoftmaxLanes + i]);
            greatest[query] = max;
        }
        Group.Barrier();
        for (int unit = t; unit < queries * TGroups.SoftmaxLanes; unit += TGroups.AttentionThreads)
        {
            int query = (int)((uint)unit / (uint)TGroups.SoftmaxLanes), lane = (int)((uint)unit % (uint)TGroups.SoftmaxLanes);
            float sum = 0f;
            for (int i = lane; i < count; i += TGroups.SoftmaxLanes)
            {
                float score = scores[query * partition + i], weight = score > Masked ? XMath.Exp(score - greatest[query]) : 0f;
                scores[query * partition + i] = weight;
                sum += weight;
            }
            lanes[unit] = sum;
        }
    }

    /// <summary>Weighted sums of the values, split by position; splits: [split][query][stride].</summary>
    private static void Values<TValue, TIsa, TGroups, TSums>(AttentionArgs a, ArrayView<float> weights, ArrayView<Float4> splits, ArrayView<int> valueRows,
        int t, int count, int stride)
        where TValue : struct, IKvElement where TIsa : struct, IIsa where TGroups : struct, IGroups where TSums : struct, ISumTile<TSums>
    {
        int dims8 = a.Pages.ValueDim >> 3;
        for (int unit = t; unit < dims8 * TGroups.ValueSplits; unit += TGroups.AttentionThreads)
        {
            int split = (int)((uint)unit / (uint)dims8), d8 = unit - split * dims8;
            TSums sums = default;
            for (int i = split; i < count; i += TGroups.ValueSplits)
                sums = TSums.Add<TIsa>(sums, TValue.LoadValue<TIsa>(a.Pages, valueRows[i], d8), weights, i, Attention.Partition);
            TSums.Store(sums, splits, split * TSums.Count * stride + 2 * d8, stride);
        }
    }

    private static void Write(ArrayView<float> to, long at, Float4 value)
    {
        to[at] = value.X;
        to[at + 1] = value.Y;
        to[at + 2] = value.Z;
        to[at + 3] = value.W;
    }
}
