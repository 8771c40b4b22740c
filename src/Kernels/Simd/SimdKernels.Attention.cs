using System.Runtime.InteropServices;

namespace Inference.Kernels;

internal sealed unsafe partial class SimdKernels
{
    /// <summary>[layer][slot][kvHeads * dim] for K, then V, in float32.</summary>
    private sealed class HostPages(KvLayout layout, int blocks) : KvPages(layout, blocks)
    {
        private readonly NativeBuffer keys = new((long)layout.Layers * blocks * layout.BlockSize * layout.KvHeads * layout.KeyDim * sizeof(float));
        private readonly NativeBuffer values = new((long)layout.Layers * blocks * layout.BlockSize * layout.KvHeads * layout.ValueDim * sizeof(float));

        public float* Key(int layer, int slot) => (float*)keys.Pointer + ((long)layer * Blocks * Layout.BlockSize + slot) * Layout.KvHeads * Layout.KeyDim;
        public float* Value(int layer, int slot) => (float*)values.Pointer + ((long)layer * Blocks * Layout.BlockSize + slot) * Layout.KvHeads * Layout.ValueDim;

        public override void FillWithNaN()
        {
            NativeMemory.Fill(keys.Pointer, (nuint)keys.Bytes, 0xff);
            NativeMemory.Fill(values.Pointer, (nuint)values.Bytes, 0xff);
        }

        public override void Dispose()
        {
            keys.Dispose();
            values.Dispose();
        }
    }

    public override KvPages AllocatePages(KvLayout layout, int blocks) => new HostPages(layout, blocks);

    public override void QkvRopeWrite(StepBatch batch, AttentionShape shape, Activations q, Activations k, Activations v,
        ParameterVector? queryGain, ParameterVector? keyGain, float epsilon, KvPages pages, int layer)
    {
        var store = (HostPages)pages;
        for (int r = 0; r < batch.RowCount; r++)
        {
            ReadOnlySpan<float> turns = batch.Rope.AsSpan(r * shape.RopeDims, shape.RopeDims);
            var queries = new Span<float>(((HostRows)q).Row(r), q.Columns);
            var keys = new Span<float>(((HostRows)k).Row(r), k.Columns);
            for (int h = 0; h < shape.Heads; h++) NormRope(queries.Slice(h * shape.KeyDim, shape.KeyDim), queryGain, epsilon, turns, shape);
            for (int h = 0; h < shape.KvHeads; h++) NormRope(keys.Slice(h * shape.KeyDim, shape.KeyDim), keyGain, epsilon, turns, shape);
            Round(keys, store.Key(layer, batch.Slots[r]), pages.Layout.KeyType);
            Round(new ReadOnlySpan<float>(((HostRows)v).Row(r), v.Columns), store.Value(layer, batch.Slots[r]), pages.Layout.ValueType);
        }
    }

    private static void NormRope(Span<float> head, ParameterVector? gain, float epsilon, ReadOnlySpan<float> turns, AttentionShape shape)
    {
        if (gain is not null) RmsNorm.Reference(head, new ReadOnlySpan<float>(Pointer(gain), gain.Length), epsilon, head);
        Rope.Reference(head, turns, shape.RopeDims, shape.RopeStyle);
    }

    private static void Round(ReadOnlySpan<float> from, float* to, KvType type)
    {
        for (int i = 0; i < from.Length; i++) to[i] = type == KvType.F16 ? Half16.ToSingle(Half16.FromSingle(from[i])) : from[i];
    }

    public override void PagedAttention(StepBatch batch, AttentionShape shape, Activations q, KvPages pages, int layer, Activations output)
    {
        var store = (HostPages)pages;
        int blockSize = pages.Layout.BlockSize, group = shape.Heads / shape.KvHeads;
        for (int r = 0; r < batch.RowCount; r++)
        {
            int length = batch.Positions[r] + 1, table = batch.TableSlot[batch.RowSequence[r]] * batch.Capacity.BlocksPerSequence;
            for (int h = 0; h < shape.Heads; h++)
            {
                int kvHead = h / group;
                float* query = ((HostRows)q).Row(r) + h * shape.KeyDim, target = ((HostRows)output).Row(r) + h * shape.ValueDim;
                new Span<float>(target, shape.ValueDim).Clear();
                float max = float.NegativeInfinity, sum = 0;
                for (int p = 0; p < length; p++)
                {
                    int slot = batch.BlockTables[table + p / blockSize] * blockSize + p % blockSize;
                    float* key = store.Key(layer, slot) + kvHead * shape.KeyDim, value = store.Value(layer, slot) + kvHead * shape.ValueDim;
                    float score = 0;
                    for (int d = 0; d < shape.KeyDim; d++) score += query[d] * key[d];
                    score *= shape.Scale;
                    float top = MathF.Max(max, score), keep = MathF.Exp(max - top), weight = MathF.Exp(score - top);
                    sum = sum * keep + weight;
                    for (int d = 0; d < shape.ValueDim; d++) target[d] = target[d] * keep + weight * value[d];
                    max = top;
                }
                for (int d = 0; d < shape.ValueDim; d++) target[d] /= sum;
            }
        }
    }

    public override void GateUpActivation(StepBatch batch, Activations gate, Activations up, Activations output)
    {
        for (int i = 0; i < batch.RowCount * output.Columns; i++) Pointer(output)[i] = Pointer(gate)[i] / (1 + MathF.Exp(-Pointer(gate)[i])) * Pointer(up)[i];
    }
}
