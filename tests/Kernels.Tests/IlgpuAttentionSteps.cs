using Inference.Kernels.Cases;

namespace Inference.Kernels.Tests;

/// <summary>Runs attention over sequences whose q, k and v depend on sequence and position only, in steps of any cut, on pages full of NaN.</summary>
internal sealed class AttentionSteps(KernelSet kernels, AttentionShape shape, KvType keyType, KvType valueType)
{
    /// <summary>Outputs by (sequence, position). A step lists (sequence, first position, rows); rows of a sequence come in order.</summary>
    public Dictionary<(int, int), float[]> Run(int blockSize, params (int Sequence, int First, int Count)[][] steps)
    {
        int sequences = steps.SelectMany(s => s).Max(s => s.Sequence) + 1, maxLength = steps.SelectMany(s => s).Max(s => s.First + s.Count);
        int blocksPerSequence = (maxLength + blockSize - 1) / blockSize, rows = steps.Max(s => s.Sum(p => p.Count));
        var batch = new StepBatch(new StepCapacity(rows, sequences, blocksPerSequence, shape.RopeDims));
        using KvPages pages = kernels.AllocatePages(new KvLayout(1, shape.KvHeads, shape.KeyDim, shape.ValueDim, blockSize, keyType, valueType), sequences * blocksPerSequence);
        pages.FillWithNaN();
        int[] blocks = [.. Enumerable.Range(0, sequences * blocksPerSequence)];
        new Random(blockSize).Shuffle(blocks);
        using Activations q = kernels.AllocateActivations(rows, shape.Heads * shape.KeyDim), k = kernels.AllocateActivations(rows, shape.KvHeads * shape.KeyDim);
        using Activations v = kernels.AllocateActivations(rows, shape.KvHeads * shape.ValueDim), output = kernels.AllocateActivations(rows, shape.Heads * shape.ValueDim);
        var results = new Dictionary<(int, int), float[]>();
        foreach ((int Sequence, int First, int Count)[] step in steps)
        {
            Fill(batch, step, blocks, blocksPerSequence, blockSize);
            kernels.Fill(q, Values(step, q.Columns, 1));
            kernels.Fill(k, Values(step, k.Columns, 2));
            kernels.Fill(v, Values(step, v.Columns, 3));
            kernels.Upload(batch);
            kernels.QkvRopeWrite(batch, shape, q, k, v, null, null, 1e-6f, pages, 0);
            kernels.PagedAttention(batch, shape, q, pages, 0, output);
            float[] values = kernels.Download(output, batch.RowCount).ToArray();
            int row = 0;
            foreach ((int sequence, int first, int count) in step)
                for (int i = 0; i < count; i++) results.Add((sequence, first + i), values[(row * output.Columns)..(++row * output.Columns)]);
        }
        return results;
    }

    private static float[] Values((int Sequence, int First, int Count)[] step, int columns, int seed) =>
        [.. step.SelectMany(s => Enumerable.Range(s.First, s.Count).SelectMany(p => RandomTensor.Activations(columns, seed + 10 * p + 100_000 * s.Sequence)))];

    private static void Fill(StepBatch batch, (int Sequence, int First, int Count)[] step, int[] blocks, int blocksPerSequence, int blockSize)
    {
        batch.RowCount = batch.SequenceCount = 0;
        foreach ((int sequence, int first, int count) in step)
        {
            int s = batch.SequenceCount++;
            (batch.TableSlot[s], batch.QueryStart[s], batch.QueryCount[s], batch.KvLength[s]) = (sequence, batch.RowCount, count, first + count);
            for (int p = first; p < first + count; p++)
            {
                int row = batch.RowCount++, block = blocks[sequence * blocksPerSequence + p / blockSize], dims = batch.Capacity.RopeDims;
                if (p % blockSize == 0) batch.SetBlock(sequence, p / blockSize, block);
                (batch.RowSequence[row], batch.Positions[row], batch.Slots[row]) = (s, p, block * blockSize + p % blockSize);
                for (int d = 0; d < dims / 2; d++)
                {
                    (double sin, double cos) = Math.SinCos(p * Math.Pow(10000, -2.0 * d / dims));
                    (batch.Rope[row * dims + 2 * d], batch.Rope[row * dims + 2 * d + 1]) = ((float)cos, (float)sin);
                }
            }
        }
    }
}
