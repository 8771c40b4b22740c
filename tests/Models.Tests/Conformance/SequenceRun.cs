using Inference.Kernels;

namespace Inference.Models.Tests;

/// <summary>
/// One sequence through the decoder, step by step, as hostile to a wrong kernel as a test can make it: its blocks lie scattered in the pages,
/// its table is not the first one, and all unwritten memory is NaN.
/// </summary>
internal sealed class SequenceRun : IDisposable
{
    private const int TableSlot = 2;

    private readonly LoadedModel model;
    private readonly KernelSet kernels;
    private readonly Decoder decoder;
    private readonly Workspace workspace;
    private readonly KvPages pages;
    private readonly StepBatch batch;
    private readonly int[] blocks;
    private int length;

    public SequenceRun(LoadedModel model, KernelSet kernels, KvType kvType, int capacity, int blockSize = 16, ModelSpec? spec = null)
    {
        this.model = model;
        this.kernels = kernels;
        int blockCount = (capacity + blockSize - 1) / blockSize;
        blocks = Enumerable.Range(0, 2 * blockCount + 1).ToArray();
        new Random(7).Shuffle(blocks);
        decoder = new Decoder(spec ?? model.Spec, kernels);
        workspace = new Workspace(kernels, model.Spec, capacity, capacity);
        pages = kernels.AllocatePages(model.Spec.CacheLayout(blockSize, kvType, kvType), blocks.Length);
        pages.FillWithNaN();
        batch = new StepBatch(new(capacity, 3, blockCount, model.Spec.Rope.Dims));
        for (int i = 0; i < blockCount; i++) batch.SetBlock(TableSlot, i, blocks[i]);
    }

    /// <summary>Appends tokens in one step; logits of each of them, [tokens][vocabulary].</summary>
    public float[] Append(ReadOnlySpan<int> tokens)
    {
        int blockSize = pages.Layout.BlockSize, vocabulary = model.Spec.Vocabulary;
        batch.RowCount = batch.OutputCount = tokens.Length;
        batch.SequenceCount = 1;
        batch.QueryStart[0] = 0;
        batch.QueryCount[0] = tokens.Length;
        batch.TableSlot[0] = TableSlot;
        for (int row = 0; row < tokens.Length; row++)
        {
            int position = length + row;
            batch.Tokens[row] = tokens[row];
            batch.Positions[row] = position;
            batch.Slots[row] = blocks[position / blockSize] * blockSize + position % blockSize;
            batch.RowSequence[row] = 0;
            batch.OutputRows[row] = row;
        }
        length += tokens.Length;
        batch.KvLength[0] = length;

        decoder.PrepareRope(batch);
        kernels.Upload(batch);
        decoder.Forward(batch, model.Weights, pages, workspace);
        var logits = new float[tokens.Length * vocabulary];
        for (int first = 0; first < tokens.Length; first += workspace.LogitRows)
        {
            int count = Math.Min(workspace.LogitRows, tokens.Length - first);
            decoder.Logits(batch, first, count, model.Weights, workspace);
            kernels.Download(workspace.Logits, count).CopyTo(logits.AsSpan(first * vocabulary));
        }
        return logits;
    }

    public void Dispose()
    {
        pages.Dispose();
        workspace.Dispose();
    }
}
