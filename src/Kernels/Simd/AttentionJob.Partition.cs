using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Inference.Kernels;

/// <summary>The computing part of <see cref="AttentionJob"/> for one instruction set and page types: every tile is widened to float32 before it is used.</summary>
internal unsafe class AttentionJob<V, TLanes, TKey, TValue> : AttentionJob
    where V : struct where TLanes : struct, ILanes<V> where TKey : struct, IPageType where TValue : struct, IPageType
{
    private const int Tokens = TiledPages.TileTokens, TilesPerPartition = Attention.Partition / Tokens;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void LoadQueries(int row, int index, int kvHead, in AttentionScratch memory)
    {
        int dims = Shape.KeyDim, width = Group * dims;
        V scale = TLanes.Broadcast(Shape.Scale), unfold = TLanes.Broadcast(TKey.Unfold);
        float* from = Queries + (long)row * Shape.Heads * dims + (long)kvHead * width, to = memory.Queries + index * width;
        for (int i = 0; i < width; i += TLanes.Width) TLanes.Store(TLanes.Multiply(TLanes.Multiply(TLanes.Load(from + i), scale), unfold), to + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Partition(in AttentionItem item, int kvHead, int partition, in AttentionScratch memory, float* records)
    {
        int queries = item.Rows * Group, valueDim = Shape.ValueDim;
        int first = partition * TilesPerPartition, last = (item.FirstPosition + item.Rows - 1) / Tokens, end = Math.Min(first + TilesPerPartition - 1, last);
        Clear(memory.Sums, queries * 16);
        for (int q = 0; q < queries; q++)
        {
            memory.Max[q] = float.MinValue;
            memory.Limits[q] = Tokens;
            Clear(records + q * Stride, valueDim);
        }
        byte* tile = Tile(item.Table, first, kvHead);
        for (int t = first; t <= end; t++)
        {
            byte* next = t < last ? Tile(item.Table, t + 1, kvHead) : tile;
            if (t == last)
                for (int q = 0; q < queries; q++) memory.Limits[q] = Math.Min(Tokens, item.FirstPosition + q / Group + 1 - t * Tokens);
            if (!TryDirect(queries, tile, next, in memory, records)) Cached(queries, tile, next, in memory, records);
            tile = next;
        }
        for (int q = 0; q < queries; q++)
        {
            float* record = records + q * Stride;
            V sum = TLanes.Load(memory.Sums + q * 16);
            for (int i = TLanes.Width; i < 16; i += TLanes.Width) sum = TLanes.Add(sum, TLanes.Load(memory.Sums + q * 16 + i));
            (record[valueDim], record[valueDim + 1]) = (memory.Max[q], TLanes.Sum(sum));
        }
    }

    private byte* Tile(int table, int tile, int kvHead)
    {
        (int block, int inBlock) = Math.DivRem(tile, TilesPerBlock);
        int physical = Batch.BlockTables[table + block];
        if ((uint)physical >= (uint)Pages.Blocks) throw new ArgumentException($"block table entry {table + block}: block {physical} of {Pages.Blocks}");
        return Layer + physical * Pages.BlockBytes + kvHead * Pages.HeadBytes + inBlock * Pages.TileBytes;
    }

    private static void Clear(float* to, int count)
    {
        for (int i = 0; i < count; i += TLanes.Width) TLanes.Store(TLanes.Broadcast(0f), to + i);
    }

    /// <summary>Reads the tile where it lies, where that is possible and pays.</summary>
    protected virtual bool TryDirect(int queries, byte* tile, byte* next, in AttentionScratch memory, float* records) => false;

    /// <summary>The tile becomes float32 once, and each four queries fetch their share of the next one.</summary>
    private void Cached(int queries, byte* tile, byte* next, in AttentionScratch memory, float* records)
    {
        byte* keys = tile, values = tile + Pages.KeyTileBytes;
        if (TKey.Widens)
        {
            TKey.WidenKeys<V, TLanes>(keys, Shape.KeyDim, memory.KeyTile);
            keys = (byte*)memory.KeyTile;
        }
        if (TValue.Widens)
        {
            TValue.WidenValues<V, TLanes>(values, Shape.ValueDim, memory.ValueTile);
            values = (byte*)memory.ValueTile;
        }
        long share = Pages.TileBytes * TileRows / Math.Max(queries, TileRows) / 64 * 64 + 64;
        for (int q = 0; q < queries; q += TileRows, next += share)
        {
            if (Sse.IsSupported)
                for (byte* line = next; line < next + share; line += 64) Sse.Prefetch1(line);
            Rows<CachedElement, CachedElement>(Math.Min(TileRows, queries - q), q, keys, values, keys, in memory, records);
        }
    }

    protected void Rows<TK, TV>(int rows, int query, byte* keys, byte* values, byte* next, in AttentionScratch memory, float* records)
        where TK : struct, IElement where TV : struct, IElement
    {
        switch (rows)
        {
            case 1: Rows<TK, TV, One>(query, keys, values, next, in memory, records); break;
            case 2: Rows<TK, TV, Two>(query, keys, values, next, in memory, records); break;
            case 3: Rows<TK, TV, Three>(query, keys, values, next, in memory, records); break;
            default: Rows<TK, TV, Four>(query, keys, values, next, in memory, records); break;
        }
    }

    private void Rows<TK, TV, TRows>(int query, byte* keys, byte* values, byte* next, in AttentionScratch memory, float* records)
        where TK : struct, IElement where TV : struct, IElement where TRows : struct, ICount
    {
        int keyDim = Shape.KeyDim, valueDim = Shape.ValueDim;
        int* limits = memory.Limits + query;
        float* accumulators = records + query * Stride, weights = memory.Scores;
        byte* nextValues = next + Pages.KeyTileBytes;
        AttentionTile<V, TLanes>.Scores<TK, TRows>(memory.Queries + query * keyDim, keyDim, keys, next, weights);
        AttentionTile<V, TLanes>.Weights(weights, TRows.Value, limits, memory.Max + query, memory.Sums + query * 16, accumulators, Stride, valueDim, TValue.Unfold);
        // Rows are in order of position, so the first sees least. What the others see beyond it is added row by row: a masked value is never touched.
        int common = limits[0];
        AttentionTile<V, TLanes>.Accumulate<TV, TRows>(weights, values, nextValues, 0, common, accumulators, Stride, valueDim);
        for (int r = 1; r < TRows.Value; r++)
            if (limits[r] > common)
                AttentionTile<V, TLanes>.Accumulate<TV, One>(weights + r * Tokens, values, nextValues, common, limits[r], accumulators + r * Stride, Stride, valueDim);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void Merge(float* merged, float* next, int queries)
    {
        int dims = Shape.ValueDim;
        for (int q = 0; q < queries; q++, merged += Stride, next += Stride)
        {
            float top = next[dims] > merged[dims] ? next[dims] : merged[dims];
            float keep = VectorMath.Exp<V, TLanes>(merged[dims] - top), take = VectorMath.Exp<V, TLanes>(next[dims] - top);
            V keeps = TLanes.Broadcast(keep), takes = TLanes.Broadcast(take);
            for (int d = 0; d < dims; d += TLanes.Width)
                TLanes.Store(TLanes.MultiplyAdd(TLanes.Load(next + d), takes, TLanes.Multiply(TLanes.Load(merged + d), keeps)), merged + d);
            merged[dims] = top;
            merged[dims + 1] = merged[dims + 1] * keep + next[dims + 1] * take;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    protected override void WriteOutput(int firstRow, int kvHead, float* records, int queries)
    {
        int dims = Shape.ValueDim;
        for (int q = 0; q < queries; q++, records += Stride)
        {
            V inverse = TLanes.Broadcast(1 / records[dims + 1]);
            float* to = Output + (long)(firstRow + q / Group) * Shape.Heads * dims + (long)(kvHead * Group + q % Group) * dims;
            for (int d = 0; d < dims; d += TLanes.Width) TLanes.Store(TLanes.Multiply(TLanes.Load(records + d), inverse), to + d);
        }
    }
}

/// <summary>Float elements: few queries read a page where it lies, and fetch the next tile while this one is computed.</summary>
internal sealed unsafe class FloatAttentionJob<V, TLanes, TKey, TValue> : AttentionJob<V, TLanes, FloatPage<TKey>, FloatPage<TValue>>
    where V : struct where TLanes : struct, ILanes<V> where TKey : struct, IElement where TValue : struct, IElement
{
    protected override bool TryDirect(int queries, byte* tile, byte* next, in AttentionScratch memory, float* records)
    {
        if (queries > 2 * TileRows) return false;
        for (int q = 0; q < queries; q += TileRows)
            Rows<TKey, TValue>(Math.Min(TileRows, queries - q), q, tile, tile + Pages.KeyTileBytes, next, in memory, records);
        return true;
    }
}
