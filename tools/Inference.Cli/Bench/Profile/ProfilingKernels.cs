using System.Diagnostics;
using Inference.Kernels;

namespace Inference.Cli;

/// <summary>
/// Passes every operation on to the device, waits for it, and tells the profiler how long it took. Waiting costs nothing on cpu, where operations
/// are done when they return; on a GPU a step takes longer than without.
/// </summary>
internal sealed class ProfilingKernels(KernelSet inner, StepProfiler profiler) : KernelSet
{
    private bool feedForward;
    private long start, cachedTokens, scores;

    public override string Name => inner.Name;
    public override string Path => inner.Path;
    public override double CompileMilliseconds => inner.CompileMilliseconds;

    public override void Upload(StepBatch batch)
    {
        profiler.BeginStep(batch);
        cachedTokens = scores = 0;
        for (int i = 0; i < batch.SequenceCount; i++) cachedTokens += batch.KvLength[i];
        for (int row = 0; row < batch.RowCount; row++) scores += batch.Positions[row] + 1;
        inner.Upload(batch);
    }

    public override void Embed(StepBatch batch, Weight table, Activations x)
    {
        Begin();
        inner.Embed(batch, table, x);
        End(StepPart.Embed, x);
        feedForward = false;
    }

    public override void NormLinear(StepBatch batch, Activations x, ParameterVector gain, float epsilon, ReadOnlySpan<Projection> projections)
    {
        Begin();
        inner.NormLinear(batch, x, gain, epsilon, projections);
        long bytes = 0, operations = 0;
        foreach (Projection projection in projections)
        {
            bytes += projection.Weight.PackedBytes;
            operations += Operations(projection.Weight, batch.RowCount);
        }
        End(feedForward ? StepPart.GateUp : StepPart.Qkv, projections[^1].Output, bytes, operations);
    }

    public override void QkvRopeWrite(StepBatch batch, AttentionShape shape, Activations q, Activations k, Activations v, ParameterVector? queryGain, ParameterVector? keyGain, float epsilon, KvPages pages, int layer)
    {
        Begin();
        inner.QkvRopeWrite(batch, shape, q, k, v, queryGain, keyGain, epsilon, pages, layer);
        End(StepPart.RopeWrite, q);
    }

    public override void PagedAttention(StepBatch batch, AttentionShape shape, Activations q, KvPages pages, int layer, Activations output)
    {
        Begin();
        inner.PagedAttention(batch, shape, q, pages, layer, output);
        End(StepPart.Attention, output, cachedTokens * (pages.Layout.BytesPerToken / pages.Layout.Layers), 2 * scores * shape.Heads * (shape.KeyDim + shape.ValueDim));
    }

    public override void LinearAdd(StepBatch batch, Activations x, Weight weight, ParameterVector? bias, Activations residual)
    {
        Begin();
        inner.LinearAdd(batch, x, weight, bias, residual);
        End(StepPart.AttentionOutput, residual, weight.PackedBytes, Operations(weight, batch.RowCount));
        feedForward = true; // a layer's two halves take turns
    }

    public override void GateUpLinearAdd(StepBatch batch, Activations gate, Activations up, Activations product, Weight weight, Activations residual)
    {
        Begin();
        inner.GateUpLinearAdd(batch, gate, up, product, weight, residual);
        End(StepPart.ActivationDown, residual, weight.PackedBytes, Operations(weight, batch.RowCount));
        feedForward = false;
    }

    public override void GateUpActivation(StepBatch batch, Activations gate, Activations up, Activations output) => inner.GateUpActivation(batch, gate, up, output);

    public override void Logits(StepBatch batch, int first, int count, Activations x, ParameterVector gain, float epsilon, Weight head, Activations logits)
    {
        Begin();
        inner.Logits(batch, first, count, x, gain, epsilon, head, logits);
        End(StepPart.Logits, logits, head.PackedBytes, Operations(head, count));
    }

    public override ReadOnlySpan<float> Download(Activations activations, int rows)
    {
        Begin();
        ReadOnlySpan<float> values = inner.Download(activations, rows);
        profiler.Add(StepPart.Logits, Stopwatch.GetTimestamp() - start, 0, 0);
        return values;
    }

    private static long Operations(Weight weight, int rows) => 2L * weight.Rows * weight.Columns * rows;

    private void Begin() => start = Stopwatch.GetTimestamp();

    /// <summary>Waits for what the operation wrote.</summary>
    private void End(StepPart part, Activations output, long bytes = 0, long operations = 0)
    {
        _ = inner.Download(output, 1);
        profiler.Add(part, Stopwatch.GetTimestamp() - start, bytes, operations);
    }

    public override Weight LoadWeight(in TensorSource source, bool exact) => inner.LoadWeight(source, exact);
    public override ParameterVector LoadVector(ReadOnlySpan<float> values) => inner.LoadVector(values);
    public override Activations AllocateActivations(int rows, int columns) => inner.AllocateActivations(rows, columns);
    public override KvPages AllocatePages(KvLayout layout, int blocks) => inner.AllocatePages(layout, blocks);
    public override void CopyBlock(KvPages pages, int from, int to) => inner.CopyBlock(pages, from, to);
    public override void ReadBlock(KvPages pages, int block, Span<byte> bytes) => inner.ReadBlock(pages, block, bytes);
    public override void WriteBlock(KvPages pages, int block, ReadOnlySpan<byte> bytes) => inner.WriteBlock(pages, block, bytes);
    public override void Fill(Activations activations, ReadOnlySpan<float> values) => inner.Fill(activations, values);

    // The device owns the inner set.
    public override void Dispose() { }
}
