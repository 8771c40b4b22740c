using System.Runtime.InteropServices;
using Inference.Kernels;

namespace Inference.Tests.Interleaving;

/// <summary>
/// A device whose KV memory holds token ids, and whose logits are a hash of the tokens that a row's block table leads to: every block that is not the sequence's own, not moved, or written by another
/// one changes the answer, and a step takes microseconds.
/// </summary>
/// <param name="before">Hears the name of each operation, and may throw.</param>
internal sealed class HashKernels(Action<string> before) : KernelSet
{
    private sealed class Handle(string name, int rows, int columns) : Weight(name, TensorType.F32, rows, columns)
    {
        public override long PackedBytes => 0;
        public override void Dispose() { }
    }

    private sealed class Vector(int length) : ParameterVector(length)
    {
        public override void Dispose() { }
    }

    private sealed class Rows(int rows, int columns) : Activations(rows, columns)
    {
        public float[] Values { get; } = new float[rows * columns];
        public override void Dispose() { }
    }

    private sealed class Pages(KvLayout layout, int blocks) : KvPages(layout, blocks)
    {
        public int[] Tokens { get; } = [.. Enumerable.Repeat(-1, blocks * layout.BlockSize)];
        public bool IsDisposed { get; private set; }
        public override long BytesPerBlock => sizeof(int) * Layout.BlockSize;
        public Span<int> Block(int block) => IsDisposed ? throw new InvalidOperationException("the pages are gone") : Tokens.AsSpan(block * Layout.BlockSize, Layout.BlockSize);
        public override void FillWithNaN() => Array.Fill(Tokens, -1);
        public override void Dispose() => IsDisposed = true;
    }

    private Pages? pages;

    // As the engine knows it: swapping costs what it costs there.
    public override string Name => "cpu";

    /// <summary>Logits of the token after some.</summary>
    public static void Predict(ReadOnlySpan<int> tokens, Span<float> logits)
    {
        ulong hash = 14695981039346656037;
        foreach (int token in tokens) hash = (hash ^ (uint)token) * 1099511628211;
        for (int id = 0; id < logits.Length; id++)
        {
            ulong bits = (hash + (ulong)id * 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
            logits[id] = (bits >> 40) / (float)(1 << 22);
        }
    }

    public override Weight LoadWeight(in TensorSource source, bool exact) => new Handle(source.Name, source.Rows, source.Columns);

    public override ParameterVector LoadVector(ReadOnlySpan<float> values) => new Vector(values.Length);

    public override Activations AllocateActivations(int rows, int columns) => new Rows(rows, columns);

    public override KvPages AllocatePages(KvLayout layout, int blocks) => pages = new Pages(layout, blocks);

    public override void CopyBlock(KvPages pages, int from, int to)
    {
        before(nameof(CopyBlock));
        ((Pages)pages).Block(from).CopyTo(((Pages)pages).Block(to));
    }

    public override void ReadBlock(KvPages pages, int block, Span<byte> bytes)
    {
        before(nameof(ReadBlock));
        MemoryMarshal.AsBytes(((Pages)pages).Block(block)).CopyTo(bytes);
    }

    public override void WriteBlock(KvPages pages, int block, ReadOnlySpan<byte> bytes)
    {
        before(nameof(WriteBlock));
        bytes.CopyTo(MemoryMarshal.AsBytes(((Pages)pages).Block(block)));
    }

    public override void Upload(StepBatch batch) => before(nameof(Upload));

    public override void Embed(StepBatch batch, Weight table, Activations x) { }

    public override void NormLinear(StepBatch batch, Activations x, ParameterVector gain, float epsilon, ReadOnlySpan<Projection> projections) { }

    public override void QkvRopeWrite(StepBatch batch, AttentionShape shape, Activations q, Activations k, Activations v, ParameterVector? queryGain, ParameterVector? keyGain, float epsilon, KvPages pages, int layer)
    {
        for (int row = 0; row < batch.RowCount && layer == 0; row++) ((Pages)pages).Tokens[batch.Slots[row]] = batch.Tokens[row];
    }

    public override void PagedAttention(StepBatch batch, AttentionShape shape, Activations q, KvPages pages, int layer, Activations output) { }

    public override void LinearAdd(StepBatch batch, Activations x, Weight weight, ParameterVector? bias, Activations residual) { }

    public override void GateUpActivation(StepBatch batch, Activations gate, Activations up, Activations output) { }

    public override void Logits(StepBatch batch, int first, int count, Activations x, ParameterVector gain, float epsilon, Weight head, Activations logits)
    {
        before(nameof(Logits));
        Span<int> tokens = stackalloc int[batch.Capacity.BlocksPerSequence * pages!.Layout.BlockSize];
        for (int i = 0; i < count; i++)
        {
            int row = batch.OutputRows[first + i], size = pages.Layout.BlockSize;
            ReadOnlySpan<int> table = batch.BlockTables.AsSpan(batch.TableSlot[batch.RowSequence[row]] * batch.Capacity.BlocksPerSequence);
            int length = batch.Positions[row] + 1;
            for (int p = 0; p < length; p++) tokens[p] = pages.Block(table[p / size])[p % size];
            Predict(tokens[..length], ((Rows)logits).Values.AsSpan(i * logits.Columns, logits.Columns));
        }
    }

    public override ReadOnlySpan<float> Download(Activations activations, int rows) => ((Rows)activations).Values.AsSpan(0, rows * activations.Columns);

    public override void Fill(Activations activations, ReadOnlySpan<float> values) { }

    public override void Dispose() { }
}
