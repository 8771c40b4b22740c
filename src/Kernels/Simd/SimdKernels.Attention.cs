namespace Inference.Kernels;

/// <summary>Pages, rotary embedding, attention and the activation: operands are checked here, the work is in RopeWriteJob, AttentionJob and GateUpJob.</summary>
internal sealed unsafe partial class SimdKernels
{
    private readonly AttentionJob?[] attention = new AttentionJob?[4]; // by key and value type
    private RopeWriteJob? ropeWrite;
    private GateUpJob? gateUp;

    public override KvPages AllocatePages(KvLayout layout, int blocks) => new TiledPages(layout, blocks);

    public override void QkvRopeWrite(StepBatch batch, AttentionShape shape, Activations q, Activations k, Activations v,
        ParameterVector? queryGain, ParameterVector? keyGain, float epsilon, KvPages pages, int layer)
    {
        RopeWriteJob job = ropeWrite ??= RopeWriteJob.Create(Level);
        pool.Run(job, job.Begin(batch, shape, Pointer(q), Pointer(k), Pointer(v), Pointer(queryGain), Pointer(keyGain), epsilon, (TiledPages)pages, layer, Threads));
    }

    public override void PagedAttention(StepBatch batch, AttentionShape shape, Activations q, KvPages pages, int layer, Activations output)
    {
        KvLayout layout = pages.Layout;
        AttentionJob job = attention[2 * (int)layout.KeyType + (int)layout.ValueType] ??= AttentionJob.Create(Level, layout.KeyType, layout.ValueType);
        pool.Run(job, job.Begin(batch, shape, Pointer(q), (TiledPages)pages, layer, Pointer(output), Threads));
    }

    public override void GateUpActivation(StepBatch batch, Activations gate, Activations up, Activations output)
    {
        GateUpJob job = gateUp ??= GateUpJob.Create(Level);
        pool.Run(job, job.Begin(Pointer(gate), Pointer(up), Pointer(output), (long)batch.RowCount * output.Columns));
    }
}
