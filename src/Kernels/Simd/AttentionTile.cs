using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Inference.Kernels;

/// <summary>
/// The arithmetic of one tile of 16 positions for up to four queries. What a query gets does not depend on how many others share the call:
/// each has its own accumulators, and dims and positions are taken in order. Separate calls, so that each has all registers.
/// </summary>
internal static unsafe class AttentionTile<V, TLanes> where V : struct where TLanes : struct, ILanes<V>
{
    private const int Tokens = TiledPages.TileTokens;

    /// <summary>How far scores may exceed the running maximum before it is raised: weights stay below e^8, and most tiles need no rescaling.</summary>
    private const float Slack = 8;

    /// <summary>scores[r][t] = query[r] . key[t]: even and odd dims are summed apart and then added.</summary>
    /// <param name="query">[rows][dims], scaled.</param>
    /// <param name="dims">Dims of a key, even.</param>
    /// <param name="keys">[dims][16]; columns of unwritten tokens give garbage in their own lane only.</param>
    /// <param name="next">Keys of the next tile, to fetch ahead.</param>
    /// <param name="scores">[rows][16]</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Scores<TElement, TRows>(float* query, int dims, byte* keys, byte* next, float* scores) where TElement : struct, IElement where TRows : struct, ICount
    {
        for (int lane = 0; lane < Tokens; lane += TLanes.Width)
        {
            float* q0 = query, q1 = q0 + dims, q2 = q1 + dims, q3 = q2 + dims, end = q1;
            byte* k = keys + lane * TElement.Bytes;
            V zero = TLanes.Broadcast(0f);
            V a0 = zero, a1 = zero, a2 = zero, a3 = zero, b0 = zero, b1 = zero, b2 = zero, b3 = zero;
            for (; q0 < end; q0 += 2, q1 += 2, q2 += 2, q3 += 2, k += 2 * Tokens * TElement.Bytes)
            {
                if (TElement.Streams) Fetch(ref next, 2 * TLanes.Width * TElement.Bytes);
                V even = TElement.Load<V, TLanes>(k), odd = TElement.Load<V, TLanes>(k + Tokens * TElement.Bytes);
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
            float* s = scores + lane;
            TLanes.Store(TLanes.Add(a0, b0), s);
            if (TRows.Value > 1) TLanes.Store(TLanes.Add(a1, b1), s + Tokens);
            if (TRows.Value > 2) TLanes.Store(TLanes.Add(a2, b2), s + 2 * Tokens);
            if (TRows.Value > 3) TLanes.Store(TLanes.Add(a3, b3), s + 3 * Tokens);
        }
    }

    /// <summary>
    /// weights[r][t] = exp(score - max), times <paramref name="unfold"/>, written over the scores; exactly 0 from the row's limit on. Where a score exceeds the
    /// running maximum by more than <see cref="Slack"/>, the row's sum and accumulator are first brought down to the tile's maximum.
    /// </summary>
    /// <param name="scores">[rows][16], in and out.</param>
    /// <param name="rows">Rows, 1 to 4.</param>
    /// <param name="limits">[rows] positions of the tile that the row sees, 1 to 16.</param>
    /// <param name="max">[rows] running maximum of the partition.</param>
    /// <param name="sums">[rows][16] running sums, a lane for each position of a tile.</param>
    /// <param name="accumulators">[rows][stride], dims of it used.</param>
    /// <param name="stride">Floats from row to row of the accumulators.</param>
    /// <param name="dims">Dims of a value.</param>
    /// <param name="unfold">Factor of the value type.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Weights(float* scores, int rows, int* limits, float* max, float* sums, float* accumulators, int stride, int dims, float unfold)
    {
        for (int r = 0; r < rows; r++)
        {
            float* s = scores + r * Tokens;
            for (int t = limits[r]; t < Tokens; t++) s[t] = float.NegativeInfinity;
            bool grows = false;
            V top = TLanes.Broadcast(max[r] + Slack);
            for (int t = 0; t < Tokens; t += TLanes.Width) grows |= TLanes.AnyGreater(TLanes.Load(s + t), top);
            if (grows) Rescale(s, max + r, sums + r * Tokens, accumulators + (long)r * stride, dims);
        }
        for (int r = 0; r < rows; r++)
            for (int t = 0; t < Tokens; t += TLanes.Width)
            {
                float* s = scores + r * Tokens + t, sum = sums + r * Tokens + t;
                V weight = VectorMath.Exp<V, TLanes>(TLanes.Subtract(TLanes.Load(s), TLanes.Broadcast(max[r])));
                TLanes.Store(TLanes.Add(TLanes.Load(sum), weight), sum);
                TLanes.Store(TLanes.Multiply(weight, TLanes.Broadcast(unfold)), s);
            }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Rescale(float* scores, float* max, float* sums, float* accumulator, int dims)
    {
        V largest = TLanes.Load(scores);
        for (int t = TLanes.Width; t < Tokens; t += TLanes.Width) largest = TLanes.Max(largest, TLanes.Load(scores + t));
        float top = TLanes.Largest(largest);
        V keep = VectorMath.Exp<V, TLanes>(TLanes.Broadcast(*max - top));
        *max = top;
        for (int t = 0; t < Tokens; t += TLanes.Width) TLanes.Store(TLanes.Multiply(TLanes.Load(sums + t), keep), sums + t);
        for (int d = 0; d < dims; d += TLanes.Width) TLanes.Store(TLanes.Multiply(TLanes.Load(accumulator + d), keep), accumulator + d);
    }

    /// <summary>accumulators[r] += sum over t of weights[r][t] values[t], in order of t.</summary>
    /// <param name="weights">[rows][16]</param>
    /// <param name="values">[16][dims]; tokens outside first .. end - 1 are not read.</param>
    /// <param name="next">Values of the next tile, to fetch ahead.</param>
    /// <param name="first">First token.</param>
    /// <param name="end">One past the last.</param>
    /// <param name="accumulators">[rows][stride], dims of it used.</param>
    /// <param name="stride">Floats from row to row of the accumulators.</param>
    /// <param name="dims">Dims of a value, a multiple of 16.</param>
    public static void Accumulate<TElement, TRows>(float* weights, byte* values, byte* next, int first, int end, float* accumulators, int stride, int dims)
        where TElement : struct, IElement where TRows : struct, ICount
    {
        weights += first;
        values += (long)first * dims * TElement.Bytes;
        next += (long)first * dims * TElement.Bytes;
        int d = 0;
        if (TLanes.TileColumns == 4)
            for (; d + 4 * TLanes.Width <= dims; d += 4 * TLanes.Width)
                Columns<TElement, TRows, Four>(weights, values + d * TElement.Bytes, next + d * TElement.Bytes, end - first, accumulators + d, stride, dims);
        for (; d + 2 * TLanes.Width <= dims; d += 2 * TLanes.Width)
            Columns<TElement, TRows, Two>(weights, values + d * TElement.Bytes, next + d * TElement.Bytes, end - first, accumulators + d, stride, dims);
        if (TLanes.Width == Tokens && d < dims)
            Columns<TElement, TRows, One>(weights, values + d * TElement.Bytes, next + d * TElement.Bytes, end - first, accumulators + d, stride, dims);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Columns<TElement, TRows, TColumns>(float* weights, byte* values, byte* next, int tokens, float* accumulators, int stride, int dims)
        where TElement : struct, IElement where TRows : struct, ICount where TColumns : struct, ICount
    {
        int w = TLanes.Width;
        long step = (long)dims * TElement.Bytes;
        float* a0 = accumulators, a1 = a0 + stride, a2 = a1 + stride, a3 = a2 + stride;
        V a00 = default, a01 = default, a02 = default, a03 = default, a10 = default, a11 = default, a12 = default, a13 = default;
        V a20 = default, a21 = default, a22 = default, a23 = default, a30 = default, a31 = default, a32 = default, a33 = default;
        LoadRow<TColumns>(a0, ref a00, ref a01, ref a02, ref a03);
        if (TRows.Value > 1) LoadRow<TColumns>(a1, ref a10, ref a11, ref a12, ref a13);
        if (TRows.Value > 2) LoadRow<TColumns>(a2, ref a20, ref a21, ref a22, ref a23);
        if (TRows.Value > 3) LoadRow<TColumns>(a3, ref a30, ref a31, ref a32, ref a33);
        for (float* last = weights + tokens; weights < last; weights++, values += step, next += step)
        {
            if (TElement.Streams)
            {
                byte* line = next;
                Fetch(ref line, TColumns.Value * w * TElement.Bytes);
            }
            V v0 = TElement.Load<V, TLanes>(values), v1 = default, v2 = default, v3 = default;
            if (TColumns.Value > 1) v1 = TElement.Load<V, TLanes>(values + w * TElement.Bytes);
            if (TColumns.Value > 2)
            {
                v2 = TElement.Load<V, TLanes>(values + 2 * w * TElement.Bytes);
                v3 = TElement.Load<V, TLanes>(values + 3 * w * TElement.Bytes);
            }
            AddRow<TColumns>(weights, v0, v1, v2, v3, ref a00, ref a01, ref a02, ref a03);
            if (TRows.Value > 1) AddRow<TColumns>(weights + Tokens, v0, v1, v2, v3, ref a10, ref a11, ref a12, ref a13);
            if (TRows.Value > 2) AddRow<TColumns>(weights + 2 * Tokens, v0, v1, v2, v3, ref a20, ref a21, ref a22, ref a23);
            if (TRows.Value > 3) AddRow<TColumns>(weights + 3 * Tokens, v0, v1, v2, v3, ref a30, ref a31, ref a32, ref a33);
        }
        StoreRow<TColumns>(a0, a00, a01, a02, a03);
        if (TRows.Value > 1) StoreRow<TColumns>(a1, a10, a11, a12, a13);
        if (TRows.Value > 2) StoreRow<TColumns>(a2, a20, a21, a22, a23);
        if (TRows.Value > 3) StoreRow<TColumns>(a3, a30, a31, a32, a33);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LoadRow<TColumns>(float* from, ref V a, ref V b, ref V c, ref V d) where TColumns : struct, ICount
    {
        a = TLanes.Load(from);
        if (TColumns.Value > 1) b = TLanes.Load(from + TLanes.Width);
        if (TColumns.Value > 2) (c, d) = (TLanes.Load(from + 2 * TLanes.Width), TLanes.Load(from + 3 * TLanes.Width));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddRow<TColumns>(float* weight, V v0, V v1, V v2, V v3, ref V a, ref V b, ref V c, ref V d) where TColumns : struct, ICount
    {
        V w = TLanes.Broadcast(*weight);
        a = TLanes.MultiplyAdd(w, v0, a);
        if (TColumns.Value > 1) b = TLanes.MultiplyAdd(w, v1, b);
        if (TColumns.Value > 2)
        {
            c = TLanes.MultiplyAdd(w, v2, c);
            d = TLanes.MultiplyAdd(w, v3, d);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRow<TColumns>(float* to, V a, V b, V c, V d) where TColumns : struct, ICount
    {
        TLanes.Store(a, to);
        if (TColumns.Value > 1) TLanes.Store(b, to + TLanes.Width);
        if (TColumns.Value > 2)
        {
            TLanes.Store(c, to + 2 * TLanes.Width);
            TLanes.Store(d, to + 3 * TLanes.Width);
        }
    }

    /// <summary>
    /// Fetches the lines that begin in the next <paramref name="bytes"/> bytes (a constant, at most 256) and moves on. Into the second-level cache: it has more misses
    /// in flight than the first (1.5-2 times the rate on scattered blocks of 16).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch(ref byte* next, int bytes)
    {
        if (!Sse.IsSupported) return;
        Sse.Prefetch1(next);
        if (bytes > 64) Sse.Prefetch1(next + 64);
        if (bytes > 128)
        {
            Sse.Prefetch1(next + 128);
            Sse.Prefetch1(next + 192);
        }
        next += bytes;
    }
}
