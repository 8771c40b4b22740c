using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Inference.Kernels;

/// <summary>
/// Quantised K and V: few queries read a page where it lies. An integer times its scale is exact in float32, and the sums have the order of
/// <see cref="AttentionTile{V, TLanes}"/>, so that the bits are those of a widened tile.
/// </summary>
internal sealed unsafe class QuantizedAttentionJob<V, TLanes, TKey, TValue> : AttentionJob<V, TLanes, QuantizedPage<TKey>, QuantizedPage<TValue>>
    where V : struct where TLanes : struct, ILanes<V> where TKey : struct, IQuantElement where TValue : struct, IQuantElement
{
    private const int Tokens = TiledPages.TileTokens, Block = KvBlock.Dims;

    protected override bool TryDirect(int queries, byte* tile, byte* next, in AttentionScratch memory, float* records)
    {
        if (queries > TileRows) return false;
        switch (queries)
        {
            case 1: Rows<One>(tile, next, in memory, records); break;
            case 2: Rows<Two>(tile, next, in memory, records); break;
            case 3: Rows<Three>(tile, next, in memory, records); break;
            default: Rows<Four>(tile, next, in memory, records); break;
        }
        return true;
    }

    private void Rows<TRows>(byte* tile, byte* next, in AttentionScratch memory, float* records) where TRows : struct, ICount
    {
        int valueDim = Shape.ValueDim, common = memory.Limits[0];
        float* weights = memory.Scores;
        byte* values = tile + Pages.KeyTileBytes;
        Scores<TRows>(memory.Queries, Shape.KeyDim, tile, next, (int)Pages.TileBytes, weights);
        AttentionTile<V, TLanes>.Weights(weights, TRows.Value, memory.Limits, memory.Max, memory.Sums, records, Stride, valueDim, 1);
        Accumulate<TRows>(weights, values, 0, common, records, Stride, valueDim);
        for (int r = 1; r < TRows.Value; r++)
            if (memory.Limits[r] > common) Accumulate<One>(weights + r * Tokens, values, common, memory.Limits[r], records + r * Stride, Stride, valueDim);
    }

    /// <summary>As <see cref="AttentionTile{V, TLanes}.Scores"/>; a share of the next tile is fetched with every block of dims.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Scores<TRows>(float* query, int dims, byte* tile, byte* next, int tileBytes, float* scores) where TRows : struct, ICount
    {
        int share = tileBytes / (dims / Block * (Tokens / TLanes.Width)) + 63 & ~63;
        for (int lane = 0; lane < Tokens; lane += TLanes.Width)
        {
            float* q0 = query, q1 = q0 + dims, q2 = q1 + dims, q3 = q2 + dims;
            byte* block = tile + QuantizedPage<TKey>.ScaleBytes(dims) + lane;
            ushort* scales = (ushort*)tile + lane;
            V zero = TLanes.Broadcast(0f);
            V a0 = zero, a1 = zero, a2 = zero, a3 = zero, b0 = zero, b1 = zero, b2 = zero, b3 = zero;
            for (int d = 0; d < dims; d += Block, block += TKey.BlockBytes * Tokens, scales += Tokens)
            {
                if (Sse.IsSupported)
                    for (byte* line = next; line < next + share; line += 64) Sse.Prefetch1(line);
                next += share;
                V scale = QuantizedPage<TKey>.Scales<V, TLanes>(scales);
                for (int i = 0; i < Block; i += 2, q0 += 2, q1 += 2, q2 += 2, q3 += 2)
                {
                    byte* k = block + TKey.Offset(i) * Tokens;
                    V even = TLanes.Multiply(TKey.Load<V, TLanes>(k, i), scale), odd = TLanes.Multiply(TKey.Load<V, TLanes>(k + Tokens, i), scale);
                    a0 = TLanes.MultiplyAdd(TLanes.Broadcast(q0[0]), even, a0);
                    b0 = TLanes.MultiplyAdd(TLanes.Broadcast(q0[1]), odd, b0);
                    if (TRows.Value > 1)
                    {
                        a1 = TLanes.MultiplyAdd(TLanes.Broadcast(q1[0]), even, a1);
                        b1 = TLanes.MultiplyAdd(TLanes.Broadcast(q1[1]), odd, b1);
                    }
                    if (TRows.Value > 2)
                    {
                        a2 = TLanes.MultiplyAdd(TLanes.Broadcast(q2[0]), even, a2);
                        b2 = TLanes.MultiplyAdd(TLanes.Broadcast(q2[1]), odd, b2);
                    }
                    if (TRows.Value > 3)
                    {
                        a3 = TLanes.MultiplyAdd(TLanes.Broadcast(q3[0]), even, a3);
                        b3 = TLanes.MultiplyAdd(TLanes.Broadcast(q3[1]), odd, b3);
                    }
                }
            }
            float* s = scores + lane;
            TLanes.Store(TLanes.Add(a0, b0), s);
            if (TRows.Value > 1) TLanes.Store(TLanes.Add(a1, b1), s + Tokens);
            if (TRows.Value > 2) TLanes.Store(TLanes.Add(a2, b2), s + 2 * Tokens);
            if (TRows.Value > 3) TLanes.Store(TLanes.Add(a3, b3), s + 3 * Tokens);
        }
    }

    /// <summary>As <see cref="AttentionTile{V, TLanes}.Accumulate"/>, two vectors of one block of dims at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Accumulate<TRows>(float* weights, byte* tile, int first, int end, float* accumulators, int stride, int dims) where TRows : struct, ICount
    {
        int blocks = dims / Block, w = TLanes.Width;
        byte* quants = tile + QuantizedPage<TValue>.ScaleBytes(dims);
        for (int d = 0; d < dims; d += 2 * w)
        {
            int low = d % Block, high = low + w;
            ushort* scales = (ushort*)tile + first * blocks + d / Block;
            byte* block = quants + (first * blocks + d / Block) * TValue.BlockBytes;
            float* r0 = accumulators + d, r1 = r0 + stride, r2 = r1 + stride, r3 = r2 + stride;
            V a0 = TLanes.Load(r0), b0 = TLanes.Load(r0 + w), a1 = default, b1 = default, a2 = default, b2 = default, a3 = default, b3 = default;
            if (TRows.Value > 1) (a1, b1) = (TLanes.Load(r1), TLanes.Load(r1 + w));
            if (TRows.Value > 2) (a2, b2) = (TLanes.Load(r2), TLanes.Load(r2 + w));
            if (TRows.Value > 3) (a3, b3) = (TLanes.Load(r3), TLanes.Load(r3 + w));
            for (float* t = weights + first; t < weights + end; t++, scales += blocks, block += blocks * TValue.BlockBytes)
            {
                V scale = QuantizedPage<TValue>.Scale<V, TLanes>(scales);
                V v0 = TLanes.Multiply(TValue.Load<V, TLanes>(block + TValue.Offset(low), low), scale), v1 = TLanes.Multiply(TValue.Load<V, TLanes>(block + TValue.Offset(high), high), scale);
                Add(t, v0, v1, ref a0, ref b0);
                if (TRows.Value > 1) Add(t + Tokens, v0, v1, ref a1, ref b1);
                if (TRows.Value > 2) Add(t + 2 * Tokens, v0, v1, ref a2, ref b2);
                if (TRows.Value > 3) Add(t + 3 * Tokens, v0, v1, ref a3, ref b3);
            }
            Store(r0, a0, b0);
            if (TRows.Value > 1) Store(r1, a1, b1);
            if (TRows.Value > 2) Store(r2, a2, b2);
            if (TRows.Value > 3) Store(r3, a3, b3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(float* weight, V v0, V v1, ref V a, ref V b)
    {
        V w = TLanes.Broadcast(*weight);
        a = TLanes.MultiplyAdd(w, v0, a);
        b = TLanes.MultiplyAdd(w, v1, b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(float* to, V a, V b)
    {
        TLanes.Store(a, to);
        TLanes.Store(b, to + TLanes.Width);
    }
}
