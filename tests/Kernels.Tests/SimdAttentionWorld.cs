using Inference.Kernels.Cases;

namespace Inference.Kernels.Tests;

/// <summary>
/// Sequences with fixed random q, k and v per position, run through QkvRopeWrite and PagedAttention in steps that a test chooses.
/// Pages start as NaN and blocks are scattered.
/// </summary>
internal sealed class SimdAttentionWorld : IDisposable
{
    private readonly AttentionShape shape;
    private readonly int blockSize;
    private readonly float[][] queries, keys, values;
    private readonly SimdKernels kernels;
    private readonly KvPages pages;
    private readonly StepBatch batch;
    private readonly Activations q, k, v, output;
    private readonly int[] done;

    /// <param name="level">Instruction set.</param>
    /// <param name="threads">Threads.</param>
    /// <param name="shape">Heads and dims.</param>
    /// <param name="type">Type of K.</param>
    /// <param name="valueType">Type of V.</param>
    /// <param name="lengths">Tokens of each sequence.</param>
    /// <param name="blockSize">Tokens of a block.</param>
    /// <param name="seed">Order of the blocks.</param>
    /// <param name="prefixes">Where given, sequence s begins with the first Tokens (whole blocks) of sequence From, which come before its own: it lies on the same blocks and starts behind them.</param>
    /// <param name="share">Whether the kernels may read shared partitions once.</param>
    public SimdAttentionWorld(SimdLevel level, int threads, AttentionShape shape, KvType type, KvType valueType, int[] lengths, int blockSize, int seed, (int From, int Tokens)[]? prefixes = null, bool share = true)
    {
        (this.shape, this.blockSize) = (shape, blockSize);
        kernels = new SimdKernels(level, threads) { SharePrefixes = share };
        int rows = lengths.Sum(), perSequence = (lengths.Max() + blockSize - 1) / blockSize;
        batch = new StepBatch(new StepCapacity(rows, lengths.Length, perSequence, shape.RopeDims));
        pages = kernels.AllocatePages(new KvLayout(1, shape.KvHeads, shape.KeyDim, shape.ValueDim, blockSize, type, valueType), perSequence * lengths.Length);
        pages.FillWithNaN();
        int[] blocks = [.. Enumerable.Range(0, perSequence * lengths.Length)];
        new Random(seed).Shuffle(blocks);
        for (int s = 0; s < lengths.Length; s++)
            for (int b = 0; b < perSequence; b++) batch.SetBlock(s, b, blocks[s * perSequence + b]);
        q = kernels.AllocateActivations(rows, shape.Heads * shape.KeyDim);
        k = kernels.AllocateActivations(rows, shape.KvHeads * shape.KeyDim);
        v = kernels.AllocateActivations(rows, shape.KvHeads * shape.ValueDim);
        output = kernels.AllocateActivations(rows, shape.Heads * shape.ValueDim);
        queries = [.. lengths.Select((n, s) => RandomTensor.Activations(n * q.Columns, 3 * s + 1))];
        keys = [.. lengths.Select((n, s) => RandomTensor.Activations(n * k.Columns, 3 * s + 2))];
        values = [.. lengths.Select((n, s) => RandomTensor.Activations(n * v.Columns, 3 * s + 3))];
        Results = [.. lengths.Select(n => new float[n * output.Columns])];
        done = new int[lengths.Length];
        for (int s = 0; s < prefixes?.Length; s++) Join(s, prefixes[s].From, prefixes[s].Tokens);
    }

    private void Join(int sequence, int from, int tokens)
    {
        int perSequence = batch.Capacity.BlocksPerSequence;
        for (int b = 0; b < tokens / blockSize; b++) batch.SetBlock(sequence, b, batch.BlockTables[from * perSequence + b]);
        keys[from].AsSpan(0, tokens * k.Columns).CopyTo(keys[sequence]);
        values[from].AsSpan(0, tokens * v.Columns).CopyTo(values[sequence]);
        done[sequence] = tokens;
    }

    /// <summary>[sequence][position][heads * valueDim] of all steps so far.</summary>
    public float[][] Results { get; }

    /// <summary>Runs one step: the next <c>Rows</c> tokens of each named sequence, in that order.</summary>
    public void Step(params (int Sequence, int Rows)[] parts)
    {
        batch.RowCount = batch.SequenceCount = 0;
        List<float> stepQ = [], stepK = [], stepV = [];
        foreach ((int sequence, int rows) in parts)
        {
            int s = batch.SequenceCount++, start = done[sequence];
            (batch.TableSlot[s], batch.QueryStart[s], batch.QueryCount[s], batch.KvLength[s]) = (sequence, batch.RowCount, rows, start + rows);
            for (int position = start; position < start + rows; position++) AddRow(s, sequence, position);
            stepQ.AddRange(queries[sequence].AsSpan(start * q.Columns, rows * q.Columns));
            stepK.AddRange(keys[sequence].AsSpan(start * k.Columns, rows * k.Columns));
            stepV.AddRange(values[sequence].AsSpan(start * v.Columns, rows * v.Columns));
        }
        kernels.Fill(q, stepQ.ToArray());
        kernels.Fill(k, stepK.ToArray());
        kernels.Fill(v, stepV.ToArray());
        kernels.Upload(batch);
        kernels.QkvRopeWrite(batch, shape, q, k, v, null, null, 0, pages, 0);
        kernels.PagedAttention(batch, shape, q, pages, 0, output);
        ReadOnlySpan<float> all = kernels.Download(output, batch.RowCount);
        foreach ((int sequence, int rows) in parts)
        {
            all[..(rows * output.Columns)].CopyTo(Results[sequence].AsSpan(done[sequence] * output.Columns));
            all = all[(rows * output.Columns)..];
            done[sequence] += rows;
        }
    }

    private void AddRow(int s, int sequence, int position)
    {
        int row = batch.RowCount++, dims = shape.RopeDims;
        batch.RowSequence[row] = s;
        batch.Positions[row] = position;
        batch.Slots[row] = batch.BlockTables[sequence * batch.Capacity.BlocksPerSequence + position / blockSize] * blockSize + position % blockSize;
        for (int d = 0; d < dims / 2; d++)
        {
            (double sin, double cos) = Math.SinCos(position * Math.Pow(10000, -2.0 * d / dims));
            (batch.Rope[row * dims + 2 * d], batch.Rope[row * dims + 2 * d + 1]) = ((float)cos, (float)sin);
        }
    }

    public void Dispose()
    {
        foreach (IDisposable d in (IDisposable[])[q, k, v, output, pages, kernels]) d.Dispose();
    }
}
