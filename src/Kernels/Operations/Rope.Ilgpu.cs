using ILGPU;
using ILGPU.Algorithms;

namespace Inference.Kernels;

/// <summary>The arguments of <see cref="QkvRopeWriteKernel"/>.</summary>
internal struct QkvRopeWriteArgs
{
    /// <summary>[rows][heads * keyDim], rotated in place.</summary>
    public ArrayView<float> Q;

    /// <summary>[rows][kvHeads * keyDim]</summary>
    public ArrayView<float> K;

    /// <summary>[rows][kvHeads * valueDim]</summary>
    public ArrayView<float> V;

    /// <summary>[keyDim], read where TNorm is 1.</summary>
    public ArrayView<float> QueryGain, KeyGain;

    /// <summary>[row][ropeDims / 2][2] cosine and sine.</summary>
    public ArrayView<float> Rope;

    /// <summary>[row] block * blockSize + offset.</summary>
    public ArrayView<int> Slots;

    public PagesView Pages;
    public int Heads, RopeDims;

    /// <summary>Not 0: dims i and i + ropeDims / 2 are a pair; 0: dims 2i and 2i + 1.</summary>
    public int RotateHalf;

    /// <summary>1 for each gain that is there.</summary>
    public int NormQuery, NormKey;

    public float Epsilon;
}

/// <summary>
/// Norms (where TNorm is 1) and rotates a head of q in place, or a head of k into its page, or copies a head of v into its page. Grid (heads +
/// 2 kvHeads, rows), HeadThreads threads to a head, a thread to a pair of dims; quantised heads pass through shared memory; the norm's squares are summed strided, then by a tree; float32.
/// </summary>
internal static class QkvRopeWriteKernel
{
    /// <summary>Largest head that attention takes.</summary>
    private const int MaxDim = 256;

    public static void Run<TKey, TValue, TIsa, TGroups, TNorm>(QkvRopeWriteArgs a)
        where TKey : struct, IKvElement where TValue : struct, IKvElement where TIsa : struct, IIsa where TGroups : struct, IGroups where TNorm : struct, IConst
    {
        int t = Group.IdxX, head = Grid.IdxX, row = Grid.IdxY, kvHeads = a.Pages.KvHeads, keyDim = a.Pages.KeyDim;
        int slot = a.Slots[row], blockSize = a.Pages.BlockSize;
        int block = (int)((uint)slot / (uint)blockSize), offset = slot - block * blockSize;
        bool isQuery = head < a.Heads, isKey = !isQuery && head < a.Heads + kvHeads;
        int kvHead = isKey ? head - a.Heads : head - a.Heads - kvHeads;
        long page = (long)block * kvHeads + kvHead;
        long from = isQuery ? ((long)row * a.Heads + head) * keyDim : ((long)row * kvHeads + kvHead) * keyDim;

        float factor = 1f;
        if (TNorm.Value > 0)
        {
            // Every group takes part, since a barrier must not stand in a branch; heads of v sum nothing.
            ArrayView<float> shared = SharedMemory.Allocate<float>(TGroups.HeadThreads);
            float sum = 0f;
            int dims = isQuery || isKey ? keyDim : 0;
            for (int d = t; d < dims; d += TGroups.HeadThreads)
            {
                float x = isQuery ? a.Q[from + d] : a.K[from + d];
                sum = TIsa.Fma(x, x, sum);
            }
            shared[t] = sum;
            Group.Barrier();
            for (int s = TGroups.HeadThreads / 2; s > 0; s >>= 1)
            {
                if (t < s) shared[t] += shared[t + s];
                Group.Barrier();
            }
            if ((isQuery && a.NormQuery != 0) || (isKey && a.NormKey != 0)) factor = 1f / XMath.Sqrt(shared[0] / keyDim + a.Epsilon);
        }

        // A head of a quantised plane is gathered here, since a block's scale needs all its dims. (No view is empty: a query stands in where none is.)
        ArrayView<float> gathered = a.Q;
        if (TKey.Quantized || TValue.Quantized) gathered = SharedMemory.Allocate<float>(MaxDim);
        if (isQuery || isKey)
        {
            int half = a.RopeDims >> 1;
            for (int i = t; i < half; i += TGroups.HeadThreads)
            {
                int first = a.RotateHalf != 0 ? i : 2 * i, second = a.RotateHalf != 0 ? i + half : 2 * i + 1;
                float x = Load<TNorm>(a, isQuery, from, first, factor), y = Load<TNorm>(a, isQuery, from, second, factor);
                float cos = a.Rope[(long)row * a.RopeDims + 2 * i], sin = a.Rope[(long)row * a.RopeDims + 2 * i + 1];
                StoreKeyOrQuery<TKey>(a, gathered, isQuery, from, page, offset, first, x * cos - y * sin);
                StoreKeyOrQuery<TKey>(a, gathered, isQuery, from, page, offset, second, x * sin + y * cos);
            }
            for (int d = a.RopeDims + t; d < keyDim; d += TGroups.HeadThreads)
                StoreKeyOrQuery<TKey>(a, gathered, isQuery, from, page, offset, d, Load<TNorm>(a, isQuery, from, d, factor));
        }
        else
        {
            int valueDim = a.Pages.ValueDim;
            for (int d = t; d < valueDim; d += TGroups.HeadThreads)
            {
                float x = a.V[((long)row * kvHeads + kvHead) * valueDim + d];
                if (TValue.Quantized) gathered[d] = x;
                else TValue.Store(a.Pages.Values, (page * blockSize + offset) * valueDim + d, x);
            }
        }
        if (TKey.Quantized || TValue.Quantized)
        {
            Group.Barrier();
            int pairs = (isKey ? keyDim : isQuery ? 0 : a.Pages.ValueDim) >> 1;
            for (int i = t; i < pairs; i += TGroups.HeadThreads)
            {
                if (isKey && TKey.Quantized) TKey.StorePair(a.Pages.Keys, PagePlace.Key<TKey>(a.Pages, page, offset), gathered, i >> 4, i & 15);
                if (!isKey && TValue.Quantized) TValue.StorePair(a.Pages.Values, PagePlace.Value<TValue>(a.Pages, (int)page * blockSize + offset), gathered, i >> 4, i & 15);
            }
        }
    }

    private static float Load<TNorm>(QkvRopeWriteArgs a, bool isQuery, long from, int d, float factor) where TNorm : struct, IConst
    {
        float x = isQuery ? a.Q[from + d] : a.K[from + d];
        if (TNorm.Value > 0)
        {
            if (isQuery && a.NormQuery != 0) x = x * factor * a.QueryGain[d];
            if (!isQuery && a.NormKey != 0) x = x * factor * a.KeyGain[d];
        }
        return x;
    }

    private static void StoreKeyOrQuery<TKey>(QkvRopeWriteArgs a, ArrayView<float> gathered, bool isQuery, long from, long page, int slot, int d, float x) where TKey : struct, IKvElement
    {
        if (isQuery)
        {
            a.Q[from + d] = x;
        }
        else if (TKey.Quantized)
        {
            gathered[d] = x;
        }
        else
        {
            int vectors = a.Pages.KeyDim / TKey.PerVector, vector = (int)((uint)d / (uint)TKey.PerVector), element = (int)((uint)d % (uint)TKey.PerVector);
            TKey.Store(a.Pages.Keys, ((page * vectors + vector) * a.Pages.BlockSize + slot) * TKey.PerVector + element, x);
        }
    }
}
