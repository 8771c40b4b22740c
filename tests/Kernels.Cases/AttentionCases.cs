namespace Inference.Kernels.Cases;

/// <summary>
/// Attention over scattered blocks: the history of each sequence is written through QkvRopeWrite into pages full of NaN, then the last rows of
/// each sequence attend. Reading any unwritten slot shows as NaN in the result.
/// </summary>
internal static class AttentionCases
{
    /// <param name="shape">Heads and dims.</param>
    /// <param name="sequences">Per sequence: tokens in the cache before the step, and rows of the step.</param>
    /// <param name="blockSize">Tokens in a block.</param>
    /// <param name="type">Type of K, and of V where no other is given.</param>
    /// <param name="qkNorm">Whether q and k heads are normalised.</param>
    /// <param name="valueType">Type of V; null: that of K.</param>
    public static OperationCase Create(AttentionShape shape, (int Cached, int Rows)[] sequences, int blockSize, KvType type, bool qkNorm = false, KvType? valueType = null)
    {
        KvType values = valueType ?? type;
        var layout = new KvLayout(1, shape.KvHeads, shape.KeyDim, shape.ValueDim, blockSize, type, values);
        long positions = sequences.Sum(s => Enumerable.Range(s.Cached + 1, s.Rows).Sum(i => (long)i));
        string lengths = sequences.Length > 4 ? $"{sequences.Length} sequences" : string.Join(',', sequences.Select(s => $"{s.Cached}+{s.Rows}"));
        return new OperationCase("PagedAttention",
            $"{type}{(values == type ? "" : "+" + values)} heads {shape.Heads}/{shape.KvHeads} dim {shape.KeyDim}{(shape.RopeStyle == RopeStyle.Half ? " half" : "")}{(qkNorm ? " qk-norm" : "")} block {blockSize} [{lengths}]",
            Math.Max(Tolerance(type), Tolerance(values)),
            sequences.Sum(s => (long)s.Cached + s.Rows) * layout.BytesPerToken,
            positions * shape.Heads * 2 * (shape.KeyDim + shape.ValueDim),
            kernels => Prepare(kernels, shape, sequences, layout with { Layers = 2 }, qkNorm));
    }

    /// <summary>A last-bit difference before rounding can turn one element over: by a step of 2^-11, 2^-8, 1/127 or 1/8 of the block's largest, in one of many positions.</summary>
    private static double Tolerance(KvType type) => type switch { KvType.F32 => 2e-5, KvType.F16 => 2e-3, KvType.BF16 => 8e-3, KvType.Q8_0 => 1e-2, _ => 4e-2 };

    private static PreparedCase Prepare(KernelSet kernels, AttentionShape shape, (int Cached, int Rows)[] sequences, KvLayout layout, bool qkNorm)
    {
        const int layer = 1;
        int blockSize = layout.BlockSize, blocksPerSequence = sequences.Max(s => (s.Cached + s.Rows + blockSize - 1) / blockSize), needed = sequences.Sum(s => (s.Cached + s.Rows + blockSize - 1) / blockSize);
        int rows = Math.Max(sequences.Sum(s => s.Rows), sequences.Max(s => s.Cached));
        var batch = new StepBatch(new StepCapacity(rows, sequences.Length, blocksPerSequence, shape.RopeDims));
        KvPages pages = kernels.AllocatePages(layout, needed + 3);
        pages.FillWithNaN();
        int[] blocks = [.. Enumerable.Range(0, needed + 3)];
        new Random(7).Shuffle(blocks);
        int next = 0;
        for (int s = 0; s < sequences.Length; s++)
            for (int b = 0; b * blockSize < sequences[s].Cached + sequences[s].Rows; b++) batch.SetBlock(s, b, blocks[next++]);

        Activations q = kernels.AllocateActivations(rows, shape.Heads * shape.KeyDim), k = kernels.AllocateActivations(rows, shape.KvHeads * shape.KeyDim);
        Activations v = kernels.AllocateActivations(rows, shape.KvHeads * shape.ValueDim), output = kernels.AllocateActivations(rows, shape.Heads * shape.ValueDim);
        ParameterVector? queryGain = qkNorm ? kernels.LoadVector(RandomTensor.Activations(shape.KeyDim, 31)) : null;
        ParameterVector? keyGain = qkNorm ? kernels.LoadVector(RandomTensor.Activations(shape.KeyDim, 32)) : null;

        void Write(int seed)
        {
            kernels.Fill(q, RandomTensor.Activations(batch.RowCount * q.Columns, seed).Select(x => x * 2).ToArray());
            kernels.Fill(k, RandomTensor.Activations(batch.RowCount * k.Columns, seed + 1).Select(x => x * 2).ToArray());
            kernels.Fill(v, RandomTensor.Activations(batch.RowCount * v.Columns, seed + 2));
            kernels.Upload(batch);
            kernels.QkvRopeWrite(batch, shape, q, k, v, queryGain, keyGain, 1e-6f, pages, layer);
        }

        for (int s = 0; s < sequences.Length; s++)
        {
            if (sequences[s].Cached == 0) continue;
            Begin(batch);
            Add(batch, s, 0, sequences[s].Cached, blockSize);
            Write(100 + 10 * s);
        }
        Begin(batch);
        for (int s = 0; s < sequences.Length; s++) Add(batch, s, sequences[s].Cached, sequences[s].Rows, blockSize);
        Write(50);
        List<IDisposable> owned = [pages, q, k, v, output];
        if (queryGain is not null) owned.AddRange([queryGain, keyGain!]);
        return new PreparedCase(kernels, () => kernels.PagedAttention(batch, shape, q, pages, layer, output), output, batch.RowCount, [.. owned]);
    }

    private static void Begin(StepBatch batch) => batch.RowCount = batch.SequenceCount = 0;

    private static void Add(StepBatch batch, int tableSlot, int start, int count, int blockSize)
    {
        int s = batch.SequenceCount++;
        (batch.TableSlot[s], batch.QueryStart[s], batch.QueryCount[s], batch.KvLength[s]) = (tableSlot, batch.RowCount, count, start + count);
        for (int i = 0; i < count; i++)
        {
            int row = batch.RowCount++, position = start + i, dims = batch.Capacity.RopeDims;
            batch.RowSequence[row] = s;
            batch.Positions[row] = position;
            batch.Slots[row] = batch.BlockTables[tableSlot * batch.Capacity.BlocksPerSequence + position / blockSize] * blockSize + position % blockSize;
            for (int d = 0; d < dims / 2; d++)
            {
                (double sin, double cos) = Math.SinCos(position * Math.Pow(10000, -2.0 * d / dims));
                (batch.Rope[row * dims + 2 * d], batch.Rope[row * dims + 2 * d + 1]) = ((float)cos, (float)sin);
            }
        }
    }
}
