using System.Runtime.CompilerServices;

namespace Inference.Kernels;

/// <summary>
/// Per row: RMS norm of each q and k head where there is a gain, rotation, then k and v into the row's slot.
/// A chunk is a few rows; every row is computed by one thread, so its bits depend on nothing else.
/// </summary>
internal abstract unsafe class RopeWriteJob : ParallelJob, IDisposable
{
    protected StepBatch Batch = null!;
    protected AttentionShape Shape = null!;
    protected TiledPages Pages = null!;
    protected byte* Layer;
    protected float* Queries, Keys, Values, QueryGain, KeyGain;
    protected float Epsilon;
    protected int RowsPerChunk;
    private NativeBuffer? scratch;
    private long scratchFloats;

    /// <summary>Sets the operands and returns the number of chunks.</summary>
    /// <param name="batch">The step.</param>
    /// <param name="shape">Heads and dims.</param>
    /// <param name="q">[rows][heads * keyDim], rotated in place.</param>
    /// <param name="k">[rows][kvHeads * keyDim], rotated in place.</param>
    /// <param name="v">[rows][kvHeads * valueDim].</param>
    /// <param name="queryGain">[keyDim] or null.</param>
    /// <param name="keyGain">[keyDim] or null.</param>
    /// <param name="epsilon">Added to the mean square.</param>
    /// <param name="pages">Where k and v go.</param>
    /// <param name="layer">Layer of the pages.</param>
    /// <param name="threads">Threads that will run the job.</param>
    /// <exception cref="ArgumentException">A slot lies outside the pages.</exception>
    public int Begin(StepBatch batch, AttentionShape shape, float* q, float* k, float* v, float* queryGain, float* keyGain, float epsilon,
        TiledPages pages, int layer, int threads)
    {
        (Batch, Shape, Pages, Epsilon) = (batch, shape, pages, epsilon);
        Layer = pages.Layer(layer);
        Queries = q;
        Keys = k;
        Values = v;
        QueryGain = queryGain;
        KeyGain = keyGain;
        for (int row = 0; row < batch.RowCount; row++)
            if ((uint)batch.Slots[row] >= (ulong)((long)pages.Blocks * pages.Layout.BlockSize))
                throw new ArgumentException($"row {row}: slot {batch.Slots[row]} lies outside the {pages.Blocks} blocks of {pages.Layout.BlockSize}");
        // 2 * RopeDims for cosines and sines, then one head as float16 bits; whole cache lines, so threads do not share one.
        long needed = (2L * shape.RopeDims + Math.Max(shape.KeyDim, shape.ValueDim) + 31) / 16 * 16;
        if (scratch is null || scratchFloats < needed || scratch.Bytes < needed * threads * sizeof(float))
        {
            scratch?.Dispose();
            scratch = new NativeBuffer(needed * threads * sizeof(float));
            scratchFloats = needed;
        }
        // About 16,000 elements (some microseconds) pay for a claim; 16 rows fill a tile, so that threads write separate cache lines.
        int elements = shape.Heads * shape.KeyDim + shape.KvHeads * (shape.KeyDim + shape.ValueDim);
        RowsPerChunk = Math.Clamp(16_384 / elements, 1, TiledPages.TileTokens);
        return (batch.RowCount + RowsPerChunk - 1) / RowsPerChunk;
    }

    protected float* Scratch(int thread) => (float*)scratch!.Pointer + thread * scratchFloats;

    public void Dispose() => scratch?.Dispose();

    /// <summary>The job for an instruction set.</summary>
    public static RopeWriteJob Create(SimdLevel level) => level switch
    {
        SimdLevel.Avx512 or SimdLevel.Avx512Vnni => new RopeWriteJob<System.Runtime.Intrinsics.Vector512<float>, Avx512Lanes>(),
        SimdLevel.Avx2 or SimdLevel.Avx2Vnni => new RopeWriteJob<System.Runtime.Intrinsics.Vector256<float>, Avx2Lanes>(),
        _ => new RopeWriteJob<System.Runtime.Intrinsics.Vector128<float>, PortableLanes>(),
    };
}

/// <inheritdoc/>
internal sealed unsafe class RopeWriteJob<V, TLanes> : RopeWriteJob where V : struct where TLanes : struct, ILanes<V>
{
    public override void Run(int chunk, int thread)
    {
        int end = Math.Min((chunk + 1) * RowsPerChunk, Batch.RowCount);
        for (int row = chunk * RowsPerChunk; row < end; row++) Row(row, Scratch(thread));
    }

    private void Row(int row, float* scratch)
    {
        int keyDim = Shape.KeyDim, valueDim = Shape.ValueDim, dims = Shape.RopeDims, slot = Batch.Slots[row];
        float* cos = scratch, sin = scratch + dims;
        var head16 = (ushort*)(scratch + 2 * dims);
        SpreadTurns(Batch.Rope.AsSpan(row * dims, dims), Shape.RopeStyle, cos, sin);
        float* q = Queries + (long)row * Shape.Heads * keyDim;
        for (int h = 0; h < Shape.Heads; h++) NormRotate(q + h * keyDim, QueryGain, cos, sin);
        float* k = Keys + (long)row * Shape.KvHeads * keyDim, v = Values + (long)row * Shape.KvHeads * valueDim;
        int inBlock = slot % Pages.Layout.BlockSize, inTile = inBlock % TiledPages.TileTokens;
        byte* tile = Layer + slot / Pages.Layout.BlockSize * Pages.BlockBytes + inBlock / TiledPages.TileTokens * Pages.TileBytes;
        for (int h = 0; h < Shape.KvHeads; h++, tile += Pages.HeadBytes, k += keyDim, v += valueDim)
        {
            NormRotate(k, KeyGain, cos, sin);
            WriteKey(k, tile, inTile, head16);
            WriteValue(v, tile + Pages.KeyTileBytes, inTile);
        }
    }

    /// <summary>
    /// Cosine and signed sine per dim, for x[i] cos[i] + x[partner of i] sin[i]: the first of a pair takes -sine, the second +sine.
    /// </summary>
    private static void SpreadTurns(ReadOnlySpan<float> turns, RopeStyle style, float* cos, float* sin)
    {
        int pairs = turns.Length / 2;
        for (int i = 0; i < pairs; i++)
        {
            (int first, int second) = style == RopeStyle.Interleaved ? (2 * i, 2 * i + 1) : (i, i + pairs);
            cos[first] = cos[second] = turns[2 * i];
            sin[second] = turns[2 * i + 1];
            sin[first] = -sin[second];
        }
    }

    private void NormRotate(float* head, float* gain, float* cos, float* sin)
    {
        if (gain is not null) Normalize(head, gain, Shape.KeyDim, Epsilon);
        if (Shape.RopeStyle == RopeStyle.Interleaved) RotatePairs(head, cos, sin, Shape.RopeDims);
        else RotateHalves(head, cos, sin, Shape.RopeDims / 2);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Normalize(float* head, float* gain, int n, float epsilon)
    {
        V squares = TLanes.Broadcast(0);
        for (int i = 0; i < n; i += TLanes.Width)
        {
            V x = TLanes.Load(head + i);
            squares = TLanes.MultiplyAdd(x, x, squares);
        }
        V inverse = TLanes.Broadcast(1 / MathF.Sqrt(TLanes.Sum(squares) / n + epsilon));
        for (int i = 0; i < n; i += TLanes.Width)
            TLanes.Store(TLanes.Multiply(TLanes.Multiply(TLanes.Load(head + i), inverse), TLanes.Load(gain + i)), head + i);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RotatePairs(float* head, float* cos, float* sin, int dims)
    {
        int i = 0;
        for (; i + TLanes.Width <= dims; i += TLanes.Width)
        {
            V x = TLanes.Load(head + i);
            TLanes.Store(TLanes.MultiplyAdd(x, TLanes.Load(cos + i), TLanes.Multiply(TLanes.SwapPairs(x), TLanes.Load(sin + i))), head + i);
        }
        for (; i < dims; i += 2) (head[i], head[i + 1]) = (head[i] * cos[i] + head[i + 1] * sin[i], head[i + 1] * cos[i + 1] + head[i] * sin[i + 1]);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RotateHalves(float* head, float* cos, float* sin, int half)
    {
        int i = 0;
        for (; i + TLanes.Width <= half; i += TLanes.Width)
        {
            V a = TLanes.Load(head + i), b = TLanes.Load(head + half + i);
            TLanes.Store(TLanes.MultiplyAdd(a, TLanes.Load(cos + i), TLanes.Multiply(b, TLanes.Load(sin + i))), head + i);
            TLanes.Store(TLanes.MultiplyAdd(b, TLanes.Load(cos + half + i), TLanes.Multiply(a, TLanes.Load(sin + half + i))), head + half + i);
        }
        for (; i < half; i++) (head[i], head[half + i]) = (head[i] * cos[i] + head[half + i] * sin[i], head[half + i] * cos[half + i] + head[i] * sin[half + i]);
    }

    /// <summary>One token's key is a column of the tile: a stride of 16 elements between its dims.</summary>
    private void WriteKey(float* key, byte* tile, int column, ushort* head16)
    {
        int dims = Shape.KeyDim;
        switch (Pages.Layout.KeyType)
        {
            case KvType.F32:
                float* to = (float*)tile + column;
                for (int d = 0; d < dims; d++) to[d * TiledPages.TileTokens] = key[d];
                return;
            case KvType.Q8_0: QuantizedPage<ByteElement>.WriteKey(new ReadOnlySpan<float>(key, dims), tile, column); return;
            case KvType.Q4_0: QuantizedPage<NibbleElement>.WriteKey(new ReadOnlySpan<float>(key, dims), tile, column); return;
            case KvType.F16: Write<HalfElement>(key, (byte*)head16, dims); break;
            default: Write<BrainElement>(key, (byte*)head16, dims); break;
        }
        ushort* to16 = (ushort*)tile + column;
        for (int d = 0; d < dims; d++) to16[d * TiledPages.TileTokens] = head16[d];
    }

    /// <summary>One token's value is a row of the tile.</summary>
    private void WriteValue(float* value, byte* tile, int row)
    {
        int dims = Shape.ValueDim;
        switch (Pages.Layout.ValueType)
        {
            case KvType.F32: Write<SingleElement>(value, tile + (long)row * dims * SingleElement.Bytes, dims); break;
            case KvType.F16: Write<HalfElement>(value, tile + (long)row * dims * HalfElement.Bytes, dims); break;
            case KvType.BF16: Write<BrainElement>(value, tile + (long)row * dims * BrainElement.Bytes, dims); break;
            case KvType.Q8_0: QuantizedPage<ByteElement>.WriteValue(new ReadOnlySpan<float>(value, dims), tile, row); break;
            default: QuantizedPage<NibbleElement>.WriteValue(new ReadOnlySpan<float>(value, dims), tile, row); break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Write<TElement>(float* from, byte* to, int count) where TElement : struct, IElement
    {
        for (int i = 0; i < count; i += TLanes.Width) TElement.Store<V, TLanes>(TLanes.Load(from + i), to + i * TElement.Bytes);
    }
}
