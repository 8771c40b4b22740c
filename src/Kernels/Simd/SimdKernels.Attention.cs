namespace Inference.Kernels;

/// <summary>Pages, rotary embedding, attention and the activation: operands are checked here, the work is in RopeWriteJob, AttentionJob and GateUpJob.</summary>
internal sealed unsafe partial class SimdKernels
{
    private const int KvTypes = (int)KvType.Q4_0 + 1;
    private readonly AttentionJob?[] attention = new AttentionJob?[KvTypes * KvTypes]; // by key and value type
    private RopeWriteJob? ropeWrite;
    private GateUpJob? gateUp;
    private long step;

    /// <summary>Whether decode reads partitions that sequences have in common once for all of them. The bits are the same; without it one can measure what it gains.</summary>
    public bool SharePrefixes { get; init; } = true;

    public override KvPages AllocatePages(KvLayout layout, int blocks) => new TiledPages(layout, blocks);

    public override void QkvRopeWrite(StepBatch batch, AttentionShape shape, Activations q, Activations k, Activations v,
        ParameterVector? queryGain, ParameterVector? keyGain, float epsilon, KvPages pages, int layer)
    {
        Check(shape, pages, q, shape.Heads * shape.KeyDim, nameof(q));
        Check(shape, pages, k, shape.KvHeads * shape.KeyDim, nameof(k));
        Check(shape, pages, v, shape.KvHeads * shape.ValueDim, nameof(v));
        RopeWriteJob job = ropeWrite ??= RopeWriteJob.Create(Level);
        pool.Run(job, job.Begin(batch, shape, Pointer(q), Pointer(k), Pointer(v), Pointer(queryGain), Pointer(keyGain), epsilon, (TiledPages)pages, layer, Threads));
    }

    public override void PagedAttention(StepBatch batch, AttentionShape shape, Activations q, KvPages pages, int layer, Activations output)
    {
        Check(shape, pages, q, shape.Heads * shape.KeyDim, nameof(q));
        Check(shape, pages, output, shape.Heads * shape.ValueDim, nameof(output));
        KvLayout layout = pages.Layout;
        AttentionJob job = attention[KvTypes * (int)layout.KeyType + (int)layout.ValueType] ??= AttentionJob.Create(Level, layout.KeyType, layout.ValueType);
        pool.Run(job, job.Begin(batch, shape, Pointer(q), (TiledPages)pages, layer, Pointer(output), Threads, SharePrefixes, step));
    }

    public override void GateUpActivation(StepBatch batch, Activations gate, Activations up, Activations output)
    {
        GateUpJob job = gateUp ??= GateUpJob.Create(Level);
        pool.Run(job, job.Begin(Pointer(gate), Pointer(up), Pointer(output), (long)batch.RowCount * output.Columns));
    }

    private void DisposeAttention()
    {
        foreach (AttentionJob? job in attention) job?.Dispose();
        ropeWrite?.Dispose();
    }

    /// <summary>Kernels work on raw pointers: what does not fit together is refused here.</summary>
    private static void Check(AttentionShape shape, KvPages pages, Activations rows, int columns, string name)
    {
        KvLayout layout = pages.Layout;
        if (shape.KvHeads != layout.KvHeads || shape.KeyDim != layout.KeyDim || shape.ValueDim != layout.ValueDim)
            throw new ArgumentException($"attention has {shape.KvHeads} kv heads of {shape.KeyDim}/{shape.ValueDim} dims, the pages {layout.KvHeads} of {layout.KeyDim}/{layout.ValueDim}");
        if (shape.Heads < 1 || shape.Heads % shape.KvHeads != 0) throw new ArgumentException($"attention has {shape.Heads} query heads for {shape.KvHeads} kv heads: expected a multiple");
        if (shape.RopeDims < 0 || shape.RopeDims > shape.KeyDim || shape.RopeDims % 2 != 0) throw new ArgumentException($"attention rotates {shape.RopeDims} of {shape.KeyDim} dims: expected an even part");
        if (rows.Columns != columns) throw new ArgumentException($"{name}: expected {columns} columns, found {rows.Columns}", name);
    }
}
