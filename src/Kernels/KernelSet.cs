namespace Inference.Kernels;

/// <summary>
/// Every compute operation of the engine on one device. This is the only place where devices differ: the forward pass above it is
/// written once. Operations run in the order of the calls; only <see cref="Download"/> waits. Not thread-safe: the engine thread owns it.
/// Results are bitwise the same for a row whatever other rows stand in the batch, however a prompt is chunked, and for any thread count.
/// </summary>
internal abstract class KernelSet : IDisposable
{
    /// <summary>Device name as the command line spells it, for example <c>cpu</c> or <c>opencl:0</c>.</summary>
    public abstract string Name { get; }

    /// <summary>
    /// Raise it with every change after which keys and values have other bits than before, or lie otherwise in a block: saved blocks of another revision are refused.
    /// </summary>
    public const int Revision = 1;

    /// <summary>What of the device decides the bits of keys and values: its kind, and the instruction set in use.</summary>
    public virtual string Path => Name;

    /// <summary>Milliseconds spent so far in compiling kernels for the device; 0 where they need none.</summary>
    public virtual double CompileMilliseconds => 0;

    /// <summary>Packs a matrix for this device. With <paramref name="exact"/> it is decoded to F32 first, and products use F32 activations.</summary>
    public abstract Weight LoadWeight(in TensorSource source, bool exact);

    /// <summary>Copies a parameter vector to the device.</summary>
    public abstract ParameterVector LoadVector(ReadOnlySpan<float> values);

    /// <summary>Allocates float32 rows.</summary>
    public abstract Activations AllocateActivations(int rows, int columns);

    /// <summary>Allocates the pages of a cache group.</summary>
    public abstract KvPages AllocatePages(KvLayout layout, int blocks);

    /// <summary>Copies a block of all layers, before the operations of the step that follows.</summary>
    public abstract void CopyBlock(KvPages pages, int from, int to);

    /// <summary>
    /// Reads a block of all layers into host memory as <see cref="KvPages.BytesPerBlock"/> bytes, which only <see cref="WriteBlock"/> of the same kernel set and layout understands. Waits for the device.
    /// </summary>
    public abstract void ReadBlock(KvPages pages, int block, Span<byte> bytes);

    /// <summary>Writes what <see cref="ReadBlock"/> gave into a block, before the operations of the step that follows. The bytes may be used again at once.</summary>
    public abstract void WriteBlock(KvPages pages, int block, ReadOnlySpan<byte> bytes);

    /// <summary>Hands a filled batch to the device; only changed block table entries travel. Called once a step, before any operation.</summary>
    public abstract void Upload(StepBatch batch);

    /// <summary>x[row] = table[token of row], decoded from the packed form. x: [rows][columns of table].</summary>
    public abstract void Embed(StepBatch batch, Weight table, Activations x);

    /// <summary>y = W (x / rms(x) * gain) + bias for each projection, over the batch's rows. The set shares one norm of x. (RMSNorm, arXiv 1910.07467)</summary>
    public abstract void NormLinear(StepBatch batch, Activations x, ParameterVector gain, float epsilon, ReadOnlySpan<Projection> projections);

    /// <summary>
    /// Normalises each head of q and k where gains are given, rotates them by the batch's cosines and sines, and writes k and v of every row
    /// into its slot of the pages. q: [rows][heads * keyDim], rotated in place; k: [rows][kvHeads * keyDim]; v: [rows][kvHeads * valueDim].
    /// </summary>
    public abstract void QkvRopeWrite(StepBatch batch, AttentionShape shape, Activations q, Activations k, Activations v,
        ParameterVector? queryGain, ParameterVector? keyGain, float epsilon, KvPages pages, int layer);

    /// <summary>
    /// Causal attention of every row over its sequence's pages, which the kernel walks through the block table; row at position p sees 0..p.
    /// Fixed partitions of 256 absolute positions, merged in order. output: [rows][heads * valueDim].
    /// </summary>
    public abstract void PagedAttention(StepBatch batch, AttentionShape shape, Activations q, KvPages pages, int layer, Activations output);

    /// <summary>residual += W x + bias over the batch's rows.</summary>
    public abstract void LinearAdd(StepBatch batch, Activations x, Weight weight, ParameterVector? bias, Activations residual);

    /// <summary>output = silu(gate) * up, elementwise over the batch's rows. (SwiGLU, arXiv 2002.05202)</summary>
    public abstract void GateUpActivation(StepBatch batch, Activations gate, Activations up, Activations output);

    /// <summary>residual += W (silu(gate) * up) over the batch's rows. product: room for the bracket, whose contents are undefined afterwards.</summary>
    public virtual void GateUpLinearAdd(StepBatch batch, Activations gate, Activations up, Activations product, Weight weight, Activations residual)
    {
        GateUpActivation(batch, gate, up, product);
        LinearAdd(batch, product, weight, null, residual);
    }

    /// <summary>
    /// logits[i] = head (x[r] / rms(x[r]) * gain) for the output rows r = OutputRows[first .. first + count - 1]; logits: [count][vocabulary].
    /// </summary>
    public abstract void Logits(StepBatch batch, int first, int count, Activations x, ParameterVector gain, float epsilon, Weight head, Activations logits);

    /// <summary>Waits for the device and returns the first <paramref name="rows"/> rows on the host; valid until the next operation writes there.</summary>
    public abstract ReadOnlySpan<float> Download(Activations activations, int rows);

    /// <summary>Threads on which <see cref="RunOnHost"/> works.</summary>
    public virtual int HostThreads => 1;

    /// <summary>Runs a job of the host and returns when it is done: on the device's own threads where it has some, else on the caller's.</summary>
    public virtual void RunOnHost(ParallelJob job, int chunks)
    {
        for (int i = 0; i < chunks; i++) job.Run(i, 0);
    }

    /// <summary>Copies host values into the first rows of <paramref name="activations"/> (tests and vector inputs).</summary>
    public abstract void Fill(Activations activations, ReadOnlySpan<float> values);

    public abstract void Dispose();
}
