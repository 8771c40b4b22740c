using System.Runtime.Intrinsics;

namespace Inference.Kernels;

/// <summary>
/// Causal attention over pages, walked through the block table. For every (query row, head) the arithmetic depends on absolute positions alone: partitions of
/// <see cref="Attention.Partition"/> positions; in a partition the tiles of 16 in order, with a running maximum (online softmax, arXiv 1805.02867);
/// then (maximum, sum, accumulator) of the partitions merged from left to right. A partition's result is a record [valueDim floats, maximum, sum], whether it lies
/// in a thread's scratch (one item walks all partitions) or in shared memory (partitions spread over threads). This part holds operands and memory.
/// </summary>
internal abstract unsafe class AttentionJob : ParallelJob, IDisposable
{
    /// <summary>Queries whose accumulators share a register tile.</summary>
    protected const int TileRows = 4;

    protected readonly AttentionPlan Plan = new();
    protected StepBatch Batch = null!;
    protected AttentionShape Shape = null!;
    protected TiledPages Pages = null!;
    protected byte* Layer;
    protected float* Queries, Output;
    protected int Group, TilesPerBlock, Stride;
    private NativeBuffer? scratch, partials;
    private long scratchFloats;
    private int[] pending = new int[64];
    private int pairs, pairsPerChunk;
    private (long Step, int KvHeads, int Group, int Blocks, int BlockSize) planned;

    /// <summary>Sets the operands and returns the number of chunks.</summary>
    /// <param name="batch">The step.</param>
    /// <param name="shape">Heads and dims.</param>
    /// <param name="queries">[rows][heads * keyDim].</param>
    /// <param name="pages">K and V of all positions, this step's included.</param>
    /// <param name="layer">Layer of the pages.</param>
    /// <param name="output">[rows][heads * valueDim].</param>
    /// <param name="threads">Threads that will run the job.</param>
    /// <param name="share">Whether to read partitions that sequences have in common once for all of them.</param>
    /// <param name="step">Number of the step: its layers have one plan.</param>
    public int Begin(StepBatch batch, AttentionShape shape, float* queries, TiledPages pages, int layer, float* output, int threads, bool share, long step)
    {
        (Batch, Shape, Pages) = (batch, shape, pages);
        Layer = pages.Layer(layer);
        Queries = queries;
        Output = output;
        Group = shape.Heads / shape.KvHeads;
        TilesPerBlock = pages.Layout.BlockSize / TiledPages.TileTokens;
        Stride = shape.ValueDim + 16;
        var plan = (step, shape.KvHeads, Group, pages.Blocks, pages.Layout.BlockSize);
        if (plan != planned) Plan.Build(batch, shape.KvHeads, Group, threads, pages.Layout.BlockSize, pages.Blocks, share);
        planned = plan;
        long needed = AttentionScratch.Floats(Plan.Queries, shape.KeyDim, shape.ValueDim);
        if (scratch is null || scratchFloats < needed || scratch.Bytes < needed * threads * sizeof(float))
        {
            scratchFloats = Math.Max(needed, scratchFloats);
            Grow(ref scratch, scratchFloats * threads * sizeof(float));
        }
        if (Plan.SplitCount > 0) BeginSplits();
        pairs = Plan.Count * shape.KvHeads;
        pairsPerChunk = Math.Clamp(pairs / (threads * 16), 1, 16);
        return (pairs + pairsPerChunk - 1) / pairsPerChunk;
    }

    private void BeginSplits()
    {
        if (partials is null || partials.Bytes < Plan.Partials * Stride * sizeof(float)) Grow(ref partials, Plan.Partials * Stride * sizeof(float) * 5 / 4);
        int kvHeads = Shape.KvHeads;
        if (pending.Length < Plan.SplitCount * kvHeads) pending = new int[2 * Plan.SplitCount * kvHeads];
        for (int s = 0; s < Plan.SplitCount; s++) pending.AsSpan(s * kvHeads, kvHeads).Fill(Plan.Split(s).Parts);
    }

    private static void Grow(ref NativeBuffer? buffer, long bytes)
    {
        buffer?.Dispose();
        buffer = new NativeBuffer(bytes);
    }

    public override void Run(int chunk, int thread)
    {
        var memory = new AttentionScratch((float*)scratch!.Pointer + thread * scratchFloats, Plan.Queries, Shape.KeyDim, Shape.ValueDim);
        int end = Math.Min((chunk + 1) * pairsPerChunk, pairs);
        for (int pair = chunk * pairsPerChunk; pair < end; pair++) Run(in Plan.Item(pair / Shape.KvHeads), pair % Shape.KvHeads, in memory);
    }

    private void Run(in AttentionItem item, int kvHead, in AttentionScratch memory)
    {
        if (item.Split == AttentionItem.Shared)
        {
            RunShared(in item, kvHead, in memory);
            return;
        }
        for (int r = 0; r < item.Rows; r++) LoadQueries(item.FirstRow + r, r, kvHead, in memory);
        int queries = item.Rows * Group;
        if (item.Split == AttentionItem.Whole)
        {
            Partition(in item, kvHead, 0, in memory, memory.Merged);
            for (int p = 1; p < item.EndPartition; p++)
            {
                Partition(in item, kvHead, p, in memory, memory.Current);
                Merge(memory.Merged, memory.Current, queries);
            }
            WriteOutput(item.FirstRow, kvHead, memory.Merged, queries);
            return;
        }
        for (int p = item.FirstPartition; p < item.EndPartition; p++) Partition(in item, kvHead, p, in memory, Records(item.Split, kvHead, p, queries));
        Finish(item.Split, item.FirstRow, kvHead, queries);
    }

    /// <summary>One decode row of each member over one partition; every member's record goes to its own split.</summary>
    private void RunShared(in AttentionItem item, int kvHead, in AttentionScratch memory)
    {
        for (int m = 0; m < item.Rows; m++) LoadQueries(Batch.QueryStart[Plan.Member(item.FirstRow + m)], m, kvHead, in memory);
        Partition(in item, kvHead, item.FirstPartition, in memory, memory.Current);
        int size = Group * Stride;
        for (int m = 0; m < item.Rows; m++)
        {
            int sequence = Plan.Member(item.FirstRow + m), split = Plan.SplitOf(sequence);
            new ReadOnlySpan<float>(memory.Current + m * size, size).CopyTo(new Span<float>(Records(split, kvHead, item.FirstPartition, Group), size));
            Finish(split, Batch.QueryStart[sequence], kvHead, Group);
        }
    }

    /// <summary>Where a partition's records of a split begin: [split][kv head][partition][queries][Stride].</summary>
    private float* Records(int split, int kvHead, int partition, int queries)
    {
        AttentionSplit of = Plan.Split(split);
        return (float*)partials!.Pointer + (of.Offset + (kvHead * (long)of.Partitions + partition) * queries) * Stride;
    }

    /// <summary>A part of a split is done; who does the last one merges all.</summary>
    private void Finish(int split, int firstRow, int kvHead, int queries)
    {
        // The decrement is a full fence: who takes the last part sees the records of all others.
        if (Interlocked.Decrement(ref pending[split * Shape.KvHeads + kvHead]) > 0) return;
        float* merged = Records(split, kvHead, 0, queries);
        for (int p = 1; p < Plan.Split(split).Partitions; p++) Merge(merged, Records(split, kvHead, p, queries), queries);
        WriteOutput(firstRow, kvHead, merged, queries);
    }

    /// <summary>Copies a row's queries into scratch, scaled: [index][head of the group][keyDim].</summary>
    protected abstract void LoadQueries(int row, int index, int kvHead, in AttentionScratch memory);

    /// <summary>Computes one partition of the item's queries into records [queries][<see cref="Stride"/>].</summary>
    protected abstract void Partition(in AttentionItem item, int kvHead, int partition, in AttentionScratch memory, float* records);

    /// <summary>Adds the partition <paramref name="next"/> to what is merged so far.</summary>
    protected abstract void Merge(float* merged, float* next, int queries);

    /// <summary>Divides by the sums.</summary>
    protected abstract void WriteOutput(int firstRow, int kvHead, float* records, int queries);

    public void Dispose()
    {
        scratch?.Dispose();
        partials?.Dispose();
    }

    /// <summary>The job for an instruction set and element types.</summary>
    public static AttentionJob Create(SimdLevel level, KvType key, KvType value) => level switch
    {
        SimdLevel.Avx512 or SimdLevel.Avx512Vnni => Create<Vector512<float>, Avx512Lanes>(key, value),
        SimdLevel.Avx2 or SimdLevel.Avx2Vnni => Create<Vector256<float>, Avx2Lanes>(key, value),
        _ => Create<Vector128<float>, PortableLanes>(key, value),
    };

    private static AttentionJob Create<V, TLanes>(KvType key, KvType value) where V : struct where TLanes : struct, ILanes<V> => (key, value) switch
    {
        (KvType.F32, KvType.F32) => new FloatAttentionJob<V, TLanes, SingleElement, SingleElement>(),
        (KvType.F16, KvType.F16) => new FloatAttentionJob<V, TLanes, HalfElement, HalfElement>(),
        (KvType.BF16, KvType.BF16) => new FloatAttentionJob<V, TLanes, BrainElement, BrainElement>(),
        (KvType.F16, KvType.F32) => new FloatAttentionJob<V, TLanes, HalfElement, SingleElement>(),
        (KvType.F32, KvType.F16) => new FloatAttentionJob<V, TLanes, SingleElement, HalfElement>(),
        (KvType.Q8_0, KvType.Q8_0) => new QuantizedAttentionJob<V, TLanes, ByteElement, ByteElement>(),
        (KvType.Q8_0, KvType.Q4_0) => new QuantizedAttentionJob<V, TLanes, ByteElement, NibbleElement>(),
        (KvType.Q4_0, KvType.Q8_0) => new QuantizedAttentionJob<V, TLanes, NibbleElement, ByteElement>(),
        (KvType.Q4_0, KvType.Q4_0) => new QuantizedAttentionJob<V, TLanes, NibbleElement, NibbleElement>(),
        // Rare pairs are widened, which costs them some speed and the program no kernels.
        (KvType.F32, _) => Create<V, TLanes, FloatPage<SingleElement>>(value),
        (KvType.F16, _) => Create<V, TLanes, FloatPage<HalfElement>>(value),
        (KvType.BF16, _) => Create<V, TLanes, FloatPage<BrainElement>>(value),
        (KvType.Q8_0, _) => Create<V, TLanes, QuantizedPage<ByteElement>>(value),
        _ => Create<V, TLanes, QuantizedPage<NibbleElement>>(value),
    };

    private static AttentionJob Create<V, TLanes, TKey>(KvType value) where V : struct where TLanes : struct, ILanes<V> where TKey : struct, IPageType => value switch
    {
        KvType.F32 => new AttentionJob<V, TLanes, TKey, FloatPage<SingleElement>>(),
        KvType.F16 => new AttentionJob<V, TLanes, TKey, FloatPage<HalfElement>>(),
        KvType.BF16 => new AttentionJob<V, TLanes, TKey, FloatPage<BrainElement>>(),
        KvType.Q8_0 => new AttentionJob<V, TLanes, TKey, QuantizedPage<ByteElement>>(),
        _ => new AttentionJob<V, TLanes, TKey, QuantizedPage<NibbleElement>>(),
    };
}

/// <summary>One thread's memory, cut into arrays of whole cache lines.</summary>
internal readonly unsafe struct AttentionScratch
{
    /// <summary>[queries][keyDim] scaled queries.</summary>
    public readonly float* Queries;

    /// <summary>[4][16] scores, then weights, of a register tile's rows.</summary>
    public readonly float* Scores;

    /// <summary>[queries][16] running sums of the partition.</summary>
    public readonly float* Sums;

    /// <summary>[queries] running maxima of the partition.</summary>
    public readonly float* Max;

    /// <summary>[queries] positions of the current tile that a query sees.</summary>
    public readonly int* Limits;

    /// <summary>[queries][valueDim + 16] record of the partitions merged so far.</summary>
    public readonly float* Merged;

    /// <summary>[queries][valueDim + 16] record of the current partition.</summary>
    public readonly float* Current;

    /// <summary>[keyDim][16] a key tile as float32.</summary>
    public readonly float* KeyTile;

    /// <summary>[16][valueDim] a value tile as float32.</summary>
    public readonly float* ValueTile;

    public AttentionScratch(float* memory, int queries, int keyDim, int valueDim)
    {
        int lines = (queries + 15) / 16 * 16;
        Queries = memory;
        Scores = Queries + queries * keyDim;
        Sums = Scores + 64;
        Max = Sums + queries * 16;
        Limits = (int*)(Max + lines);
        Merged = Max + 2 * lines;
        Current = Merged + queries * (valueDim + 16);
        KeyTile = Current + queries * (valueDim + 16);
        ValueTile = KeyTile + keyDim * 16;
    }

    /// <summary>Floats that the arrays take.</summary>
    public static long Floats(int queries, int keyDim, int valueDim) =>
        (long)queries * (keyDim + 16 + 2 * (valueDim + 16)) + 64 + 2 * ((queries + 15) / 16 * 16) + 16L * (keyDim + valueDim);
}
