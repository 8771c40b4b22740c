using Inference.Kernels;

namespace Inference.Models.Tests;

/// <summary>A kernel set that computes nothing, counts what is alive, and fails when told to.</summary>
internal sealed class StubKernels : KernelSet
{
    private sealed class StubWeight(StubKernels owner, TensorSource source) : Weight(source.Name, source.Format.Type, source.Rows, source.Columns)
    {
        public override long PackedBytes => 1;
        public override void Dispose() => owner.Alive--;
    }

    private sealed class StubVector(StubKernels owner, int length) : ParameterVector(length)
    {
        public override void Dispose() => owner.Alive--;
    }

    private sealed class StubActivations(StubKernels owner, int rows, int columns) : Activations(rows, columns)
    {
        public override void Dispose() => owner.Alive--;
    }

    private sealed class StubPages(StubKernels owner, KvLayout layout, int blocks) : KvPages(layout, blocks)
    {
        public override long BytesPerBlock => Layout.BytesPerBlock;
        public override void FillWithNaN() { }
        public override void Dispose() => owner.Alive--;
    }

    /// <summary>Handles made and not disposed.</summary>
    public int Alive { get; private set; }

    /// <summary>Handles made.</summary>
    public int Made { get; private set; }

    /// <summary>Handles after which the next one throws.</summary>
    public int FailAfter { get; init; } = int.MaxValue;

    /// <summary>Operations run.</summary>
    public int Operations { get; private set; }

    public override string Name => "stub";
    public override Weight LoadWeight(in TensorSource source, bool exact) => new StubWeight(Count(), source);
    public override ParameterVector LoadVector(ReadOnlySpan<float> values) => new StubVector(Count(), values.Length);
    public override Activations AllocateActivations(int rows, int columns) => new StubActivations(Count(), rows, columns);
    public override KvPages AllocatePages(KvLayout layout, int blocks) => new StubPages(Count(), layout, blocks);
    public override void CopyBlock(KvPages pages, int from, int to) { }
    public override void ReadBlock(KvPages pages, int block, Span<byte> bytes) { }
    public override void WriteBlock(KvPages pages, int block, ReadOnlySpan<byte> bytes) { }
    public override void Upload(StepBatch batch) { }
    public override void Embed(StepBatch batch, Weight table, Activations x) => Operations++;
    public override void NormLinear(StepBatch batch, Activations x, ParameterVector gain, float epsilon, ReadOnlySpan<Projection> projections) => Operations += projections.Length;
    public override void QkvRopeWrite(StepBatch batch, AttentionShape shape, Activations q, Activations k, Activations v, ParameterVector? queryGain, ParameterVector? keyGain, float epsilon, KvPages pages, int layer) => Operations++;
    public override void PagedAttention(StepBatch batch, AttentionShape shape, Activations q, KvPages pages, int layer, Activations output) => Operations++;
    public override void LinearAdd(StepBatch batch, Activations x, Weight weight, ParameterVector? bias, Activations residual) => Operations++;
    public override void GateUpActivation(StepBatch batch, Activations gate, Activations up, Activations output) => Operations++;
    public override void Logits(StepBatch batch, int first, int count, Activations x, ParameterVector gain, float epsilon, Weight head, Activations logits) => Operations++;
    public override ReadOnlySpan<float> Download(Activations activations, int rows) => [];
    public override void Fill(Activations activations, ReadOnlySpan<float> values) { }
    public override void Dispose() { }

    private StubKernels Count()
    {
        if (Made == FailAfter) throw new OutOfMemoryException("as told");
        Made++;
        Alive++;
        return this;
    }
}
