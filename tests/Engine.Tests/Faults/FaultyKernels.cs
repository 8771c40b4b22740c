using Inference.Kernels;

namespace Inference.Tests.Faults;

/// <summary>Passes every operation on to the device, after a hook that hears its name and may throw.</summary>
internal sealed class FaultyKernels(KernelSet inner, Action<string> before) : KernelSet
{
    public override string Name => inner.Name;

    public override string Path => inner.Path;

    public override double CompileMilliseconds => inner.CompileMilliseconds;

    public override Weight LoadWeight(in TensorSource source, bool exact)
    {
        before(nameof(LoadWeight));
        return inner.LoadWeight(source, exact);
    }

    public override ParameterVector LoadVector(ReadOnlySpan<float> values)
    {
        before(nameof(LoadVector));
        return inner.LoadVector(values);
    }

    public override Activations AllocateActivations(int rows, int columns)
    {
        before(nameof(AllocateActivations));
        return inner.AllocateActivations(rows, columns);
    }

    public override KvPages AllocatePages(KvLayout layout, int blocks)
    {
        before(nameof(AllocatePages));
        return inner.AllocatePages(layout, blocks);
    }

    public override void CopyBlock(KvPages pages, int from, int to)
    {
        before(nameof(CopyBlock));
        inner.CopyBlock(pages, from, to);
    }

    public override void ReadBlock(KvPages pages, int block, Span<byte> bytes)
    {
        before(nameof(ReadBlock));
        inner.ReadBlock(pages, block, bytes);
    }

    public override void WriteBlock(KvPages pages, int block, ReadOnlySpan<byte> bytes)
    {
        before(nameof(WriteBlock));
        inner.WriteBlock(pages, block, bytes);
    }

    public override void Upload(StepBatch batch)
    {
        before(nameof(Upload));
        inner.Upload(batch);
    }

    public override void Embed(StepBatch batch, Weight table, Activations x)
    {
        before(nameof(Embed));
        inner.Embed(batch, table, x);
    }

    public override void NormLinear(StepBatch batch, Activations x, ParameterVector gain, float epsilon, ReadOnlySpan<Projection> projections)
    {
        before(nameof(NormLinear));
        inner.NormLinear(batch, x, gain, epsilon, projections);
    }

    public override void QkvRopeWrite(StepBatch batch, AttentionShape shape, Activations q, Activations k, Activations v, ParameterVector? queryGain, ParameterVector? keyGain, float epsilon, KvPages pages, int layer)
    {
        before(nameof(QkvRopeWrite));
        inner.QkvRopeWrite(batch, shape, q, k, v, queryGain, keyGain, epsilon, pages, layer);
    }

    public override void PagedAttention(StepBatch batch, AttentionShape shape, Activations q, KvPages pages, int layer, Activations output)
    {
        before(nameof(PagedAttention));
        inner.PagedAttention(batch, shape, q, pages, layer, output);
    }

    public override void LinearAdd(StepBatch batch, Activations x, Weight weight, ParameterVector? bias, Activations residual)
    {
        before(nameof(LinearAdd));
        inner.LinearAdd(batch, x, weight, bias, residual);
    }

    public override void GateUpLinearAdd(StepBatch batch, Activations gate, Activations up, Activations product, Weight weight, Activations residual)
    {
        before(nameof(GateUpLinearAdd));
        inner.GateUpLinearAdd(batch, gate, up, product, weight, residual);
    }

    public override void GateUpActivation(StepBatch batch, Activations gate, Activations up, Activations output)
    {
        before(nameof(GateUpActivation));
        inner.GateUpActivation(batch, gate, up, output);
    }

    public override void Logits(StepBatch batch, int first, int count, Activations x, ParameterVector gain, float epsilon, Weight head, Activations logits)
    {
        before(nameof(Logits));
        inner.Logits(batch, first, count, x, gain, epsilon, head, logits);
    }

    public override ReadOnlySpan<float> Download(Activations activations, int rows)
    {
        before(nameof(Download));
        return inner.Download(activations, rows);
    }

    public override void Fill(Activations activations, ReadOnlySpan<float> values) => inner.Fill(activations, values);

    // The device owns the inner set.
    public override void Dispose() { }
}
