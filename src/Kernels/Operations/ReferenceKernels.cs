using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// Every operation in plain scalar code over host arrays: what tests and <c>check</c> compare a device with. Slow, and never chosen to run a model
/// for its own sake. Sums are taken in double.
/// </summary>
internal sealed class ReferenceKernels : KernelSet
{
    private sealed class HostWeight(string name, TensorType type, int rows, int columns, float[] values, bool quantized) : Weight(name, type, rows, columns)
    {
        public float[] Values { get; } = values;

        /// <summary>Whether the format multiplies int8 activations.</summary>
        public bool Quantized { get; } = quantized;

        public override long PackedBytes => Values.Length * 4L;
        public override void Dispose() { }
    }

    private sealed class HostVector(float[] values) : ParameterVector(values.Length)
    {
        public float[] Values { get; } = values;
        public override void Dispose() { }
    }

    private sealed class HostRows(int rows, int columns) : Activations(rows, columns)
    {
        public float[] Values { get; } = new float[rows * columns];
        public Span<float> Row(int row) => Values.AsSpan(row * Columns, Columns);
        public override void Dispose() { }
    }

    /// <summary>K: [layer][block][slot][kvHeads * keyDim], V likewise.</summary>
    private sealed class HostPages(KvLayout layout, int blocks) : KvPages(layout, blocks)
    {
        private readonly float[] keys = new float[layout.Layers * blocks * layout.BlockSize * layout.KvHeads * layout.KeyDim];
        private readonly float[] values = new float[layout.Layers * blocks * layout.BlockSize * layout.KvHeads * layout.ValueDim];

        public Span<float> Key(int layer, int slot) => At(keys, layer, slot, Layout.KvHeads * Layout.KeyDim);
        public Span<float> Value(int layer, int slot) => At(values, layer, slot, Layout.KvHeads * Layout.ValueDim);
        private Span<float> At(float[] plane, int layer, int slot, int width) => plane.AsSpan((layer * Blocks * Layout.BlockSize + slot) * width, width);

        public override long BytesPerBlock => Layout.Layers * ((long)KeyBlock + ValueBlock) * sizeof(float);

        private int KeyBlock => Layout.BlockSize * Layout.KvHeads * Layout.KeyDim;
        private int ValueBlock => Layout.BlockSize * Layout.KvHeads * Layout.ValueDim;

        /// <summary>K, then V, of a block in a layer.</summary>
        public (Memory<float> Keys, Memory<float> Values) Block(int layer, int block) =>
            (keys.AsMemory((layer * Blocks + block) * KeyBlock, KeyBlock), values.AsMemory((layer * Blocks + block) * ValueBlock, ValueBlock));

        public override void FillWithNaN()
        {
            Array.Fill(keys, float.NaN);
            Array.Fill(values, float.NaN);
        }

        public override void Dispose() { }
    }

    public override string Name => "reference";

    public override Weight LoadWeight(in TensorSource source, bool exact)
    {
        var values = new float[source.Rows * source.Columns];
        for (int r = 0; r < source.Rows; r++) source.DecodeRow(r, values.AsSpan(r * source.Columns));
        return new HostWeight(source.Name, exact ? TensorType.F32 : source.Format.Type, source.Rows, source.Columns, values, !exact && source.Format.BlockElements > 1);
    }

    public override ParameterVector LoadVector(ReadOnlySpan<float> values) => new HostVector(values.ToArray());
    public override Activations AllocateActivations(int rows, int columns) => new HostRows(rows, columns);

    public override KvPages AllocatePages(KvLayout layout, int blocks)
    {
        _ = layout.BytesPerToken; // refuses dims that do not fit
        return new HostPages(layout, blocks);
    }

    public override void Upload(StepBatch batch) => Array.Clear(batch.DirtyEntries);

    public override void CopyBlock(KvPages pages, int from, int to)
    {
        for (int layer = 0; layer < pages.Layout.Layers; layer++)
        {
            (Memory<float> keys, Memory<float> values) = ((HostPages)pages).Block(layer, from);
            (Memory<float> newKeys, Memory<float> newValues) = ((HostPages)pages).Block(layer, to);
            keys.CopyTo(newKeys);
            values.CopyTo(newValues);
        }
    }

    public override void ReadBlock(KvPages pages, int block, Span<byte> bytes)
    {
        foreach (Memory<float> part in Parts(pages, block))
        {
            MemoryMarshal.AsBytes(part.Span).CopyTo(bytes);
            bytes = bytes[(part.Length * sizeof(float))..];
        }
    }

    public override void WriteBlock(KvPages pages, int block, ReadOnlySpan<byte> bytes)
    {
        foreach (Memory<float> part in Parts(pages, block))
        {
            Span<byte> to = MemoryMarshal.AsBytes(part.Span);
            bytes[..to.Length].CopyTo(to);
            bytes = bytes[to.Length..];
        }
    }

    private static IEnumerable<Memory<float>> Parts(KvPages pages, int block)
    {
        for (int layer = 0; layer < pages.Layout.Layers; layer++)
        {
            (Memory<float> keys, Memory<float> values) = ((HostPages)pages).Block(layer, block);
            yield return keys;
            yield return values;
        }
    }

    public override void Embed(StepBatch batch, Weight table, Activations x)
    {
        for (int r = 0; r < batch.RowCount; r++) ((HostWeight)table).Values.AsSpan(batch.Tokens[r] * table.Columns, table.Columns).CopyTo(((HostRows)x).Row(r));
    }

    public override void NormLinear(StepBatch batch, Activations x, ParameterVector gain, float epsilon, ReadOnlySpan<Projection> projections)
    {
        var normed = new float[x.Columns];
        for (int r = 0; r < batch.RowCount; r++)
        {
            RmsNorm.Reference(((HostRows)x).Row(r), ((HostVector)gain).Values, epsilon, normed);
            foreach (Projection p in projections) Multiply((HostWeight)p.Weight, normed, p.Bias, ((HostRows)p.Output).Row(r));
        }
    }

    public override void QkvRopeWrite(StepBatch batch, AttentionShape shape, Activations q, Activations k, Activations v,
        ParameterVector? queryGain, ParameterVector? keyGain, float epsilon, KvPages pages, int layer)
    {
        var store = (HostPages)pages;
        for (int r = 0; r < batch.RowCount; r++)
        {
            ReadOnlySpan<float> turns = batch.Rope.AsSpan(r * shape.RopeDims, shape.RopeDims);
            for (int h = 0; h < shape.Heads; h++) NormRope(((HostRows)q).Row(r).Slice(h * shape.KeyDim, shape.KeyDim), queryGain, epsilon, turns, shape);
            for (int h = 0; h < shape.KvHeads; h++) NormRope(((HostRows)k).Row(r).Slice(h * shape.KeyDim, shape.KeyDim), keyGain, epsilon, turns, shape);
            Round(((HostRows)k).Row(r), store.Key(layer, batch.Slots[r]), pages.Layout.KeyType);
            Round(((HostRows)v).Row(r), store.Value(layer, batch.Slots[r]), pages.Layout.ValueType);
        }
    }

    public override void PagedAttention(StepBatch batch, AttentionShape shape, Activations q, KvPages pages, int layer, Activations output)
    {
        var store = (HostPages)pages;
        int blockSize = pages.Layout.BlockSize, group = shape.Heads / shape.KvHeads;
        for (int r = 0; r < batch.RowCount; r++)
        {
            int length = batch.Positions[r] + 1, table = batch.TableSlot[batch.RowSequence[r]] * batch.Capacity.BlocksPerSequence;
            for (int kvHead = 0; kvHead < shape.KvHeads; kvHead++)
            {
                var keys = new float[length * shape.KeyDim];
                var values = new float[length * shape.ValueDim];
                for (int p = 0; p < length; p++)
                {
                    int slot = batch.BlockTables[table + p / blockSize] * blockSize + p % blockSize;
                    store.Key(layer, slot).Slice(kvHead * shape.KeyDim, shape.KeyDim).CopyTo(keys.AsSpan(p * shape.KeyDim));
                    store.Value(layer, slot).Slice(kvHead * shape.ValueDim, shape.ValueDim).CopyTo(values.AsSpan(p * shape.ValueDim));
                }
                for (int h = kvHead * group; h < (kvHead + 1) * group; h++)
                    Attention.Reference(((HostRows)q).Row(r).Slice(h * shape.KeyDim, shape.KeyDim), keys, values, shape.Scale, ((HostRows)output).Row(r).Slice(h * shape.ValueDim, shape.ValueDim));
            }
        }
    }

    public override void LinearAdd(StepBatch batch, Activations x, Weight weight, ParameterVector? bias, Activations residual)
    {
        var y = new float[weight.Rows];
        for (int r = 0; r < batch.RowCount; r++)
        {
            Multiply((HostWeight)weight, ((HostRows)x).Row(r), bias, y);
            Span<float> target = ((HostRows)residual).Row(r);
            for (int i = 0; i < y.Length; i++) target[i] += y[i];
        }
    }

    public override void GateUpActivation(StepBatch batch, Activations gate, Activations up, Activations output)
    {
        for (int r = 0; r < batch.RowCount; r++) GateUp.Reference(((HostRows)gate).Row(r), ((HostRows)up).Row(r), ((HostRows)output).Row(r));
    }

    public override void Logits(StepBatch batch, int first, int count, Activations x, ParameterVector gain, float epsilon, Weight head, Activations logits)
    {
        var normed = new float[x.Columns];
        for (int i = 0; i < count; i++)
        {
            RmsNorm.Reference(((HostRows)x).Row(batch.OutputRows[first + i]), ((HostVector)gain).Values, epsilon, normed);
            Multiply((HostWeight)head, normed, null, ((HostRows)logits).Row(i));
        }
    }

    public override ReadOnlySpan<float> Download(Activations activations, int rows) => ((HostRows)activations).Values.AsSpan(0, rows * activations.Columns);
    public override void Fill(Activations activations, ReadOnlySpan<float> values) => values.CopyTo(((HostRows)activations).Values);
    public override void Dispose() { }

    private static void Multiply(HostWeight weight, ReadOnlySpan<float> x, ParameterVector? bias, Span<float> y) =>
        Linear.Reference(weight.Values, weight.Quantized ? Linear.RoundActivations(x) : x, bias is HostVector b ? b.Values : default, y);

    private static void NormRope(Span<float> head, ParameterVector? gain, float epsilon, ReadOnlySpan<float> turns, AttentionShape shape)
    {
        if (gain is HostVector g) RmsNorm.Reference(head, g.Values, epsilon, head);
        Rope.Reference(head, turns, shape.RopeDims, shape.RopeStyle);
    }

    private static void Round(ReadOnlySpan<float> from, Span<float> to, KvType type)
    {
        if (KvLayout.IsQuantized(type)) KvBlock.Round(from, to, type);
        else
            for (int i = 0; i < from.Length; i++)
                to[i] = type switch { KvType.F16 => Half16.ToSingle(Half16.FromSingle(from[i])), KvType.BF16 => Brain16.ToSingle(Brain16.FromSingle(from[i])), _ => from[i] };
    }
}
