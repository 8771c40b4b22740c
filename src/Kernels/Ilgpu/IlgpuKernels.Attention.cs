using System.Numerics;
using ILGPU;
using ILGPU.Runtime;

namespace Inference.Kernels;

/// <summary>Attention and the writing of keys and values.</summary>
internal sealed partial class IlgpuKernels
{
    private const long PartialBytes = 64 << 20;
    private MemoryBuffer1D<float, Stride1D.Dense>? partialValues, partialMaxSum;

    public override void QkvRopeWrite(StepBatch batch, AttentionShape shape, Activations q, Activations k, Activations v,
        ParameterVector? queryGain, ParameterVector? keyGain, float epsilon, KvPages pages, int layer)
    {
        var store = (DevicePages)pages;
        DeviceBatch state = State(batch);
        bool norm = queryGain is not null || keyGain is not null;
        ArrayView<float> queries = ((DeviceRows)q).Values;
        table.Kv(store.Layout).QkvRopeWrite[norm ? 1 : 0].Launch(loader, new Index3D(shape.Heads + 2 * shape.KvHeads, batch.RowCount, 1), new()
        {
            Q = queries,
            K = ((DeviceRows)k).Values,
            V = ((DeviceRows)v).Values,
            QueryGain = queryGain is DeviceVector qg ? qg.Values : queries,
            KeyGain = keyGain is DeviceVector kg ? kg.Values : queries,
            Rope = state.Rope,
            Slots = state.Slots,
            Pages = store.View(layer),
            Heads = shape.Heads,
            RopeDims = shape.RopeDims,
            RotateHalf = shape.RopeStyle == RopeStyle.Half ? 1 : 0,
            NormQuery = queryGain is null ? 0 : 1,
            NormKey = keyGain is null ? 0 : 1,
            Epsilon = epsilon,
        });
    }

    public override void PagedAttention(StepBatch batch, AttentionShape shape, Activations q, KvPages pages, int layer, Activations output)
    {
        var store = (DevicePages)pages;
        DeviceBatch state = State(batch);
        int groupHeads = shape.Heads / shape.KvHeads;
        DeviceKernel<AttentionArgs>[] tiles = table.Kv(store.Layout).Attention[KernelTable.DimIndex(shape.KeyDim, shape.ValueDim)];
        int largest = 1 << tiles.Length - 1, tileHeads = Math.Min(groupHeads, largest);
        WorkPlan plan = Plan(batch, shape, store.Layout.BlockSize, largest / tileHeads);
        if (state.Plan != plan)
        {
            // Once for a model: until its shape is known, an upload has no attention work.
            state.SetPlan(plan);
            state.Upload(batch, loader.Stream);
        }
        EnsurePartials(plan, shape);
        var partial = new PartialSums { Values = partialValues!.View, MaxSum = partialMaxSum!.View, TileRows = plan.TileRows, Heads = shape.Heads };
        int tile = BitOperations.Log2((uint)(state.WorkRows * tileHeads) * 2 - 1);
        tiles[tile].Launch(loader, new Index3D(state.WorkCount, shape.KvHeads * ((groupHeads + tileHeads - 1) / tileHeads), 1), new()
        {
            Q = ((DeviceRows)q).Values,
            Output = ((DeviceRows)output).Values,
            Pages = store.View(layer),
            Tables = state.Tables,
            Positions = state.Positions,
            RowTables = state.RowTables,
            Work = state.Work,
            Partial = partial,
            BlocksPerSequence = batch.Capacity.BlocksPerSequence,
            GroupHeads = groupHeads,
            TileHeads = tileHeads,
            Scale = shape.Scale,
        });
        if (state.MergeCount > 0)
            table.AttentionMerge.Launch(loader, new Index3D(shape.Heads, state.MergeCount, 1), new() { Work = state.Merge, Partial = partial, Output = ((DeviceRows)output).Values, ValueDim = shape.ValueDim });
    }

    /// <summary>Slots for every partition of every sequence, or as many as 64 MiB hold: what finds no slot is done by one group, with the same result.</summary>
    private static WorkPlan Plan(StepBatch batch, AttentionShape shape, int blockSize, int tileRows)
    {
        long partitions = ((long)batch.Capacity.BlocksPerSequence * blockSize + Attention.Partition - 1) / Attention.Partition;
        long slotBytes = (long)tileRows * shape.Heads * (shape.ValueDim + 2) * sizeof(float);
        return new(tileRows, (int)Math.Min(batch.Capacity.Sequences * partitions, PartialBytes / slotBytes));
    }

    private void EnsurePartials(WorkPlan plan, AttentionShape shape)
    {
        long rows = (long)plan.Slots * plan.TileRows * shape.Heads;
        if (partialValues is not null && partialValues.Length >= rows * shape.ValueDim && partialMaxSum!.Length >= rows * 2) return;
        accelerator.Synchronize();
        partialValues?.Dispose();
        partialMaxSum?.Dispose();
        partialValues = accelerator.Allocate1D<float>(Math.Max(1, rows * shape.ValueDim));
        partialMaxSum = accelerator.Allocate1D<float>(Math.Max(2, rows * 2));
    }
}
