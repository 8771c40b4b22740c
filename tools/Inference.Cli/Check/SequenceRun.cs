using Inference.Kernels;
using Inference.Models;

namespace Inference.Cli;

/// <summary>One sequence through the decoder on any kernel set, without scheduler and sampler: what <c>check</c> compares devices by.</summary>
internal sealed class SequenceRun : IDisposable
{
    private const int BlockSize = 16;

    private readonly LoadedModel model;
    private readonly KernelSet kernels;
    private readonly Decoder decoder;
    private readonly StepBatch batch;
    private readonly KvPages pages;
    private readonly Workspace workspace;
    private int length;

    /// <param name="model">Loaded on <paramref name="kernels"/>.</param>
    /// <param name="kernels">The device.</param>
    /// <param name="capacity">Tokens of the whole sequence.</param>
    public SequenceRun(LoadedModel model, KernelSet kernels, int capacity)
    {
        this.model = model;
        this.kernels = kernels;
        int blocks = (capacity + BlockSize - 1) / BlockSize;
        decoder = new Decoder(model.Spec, kernels);
        batch = new StepBatch(new StepCapacity(capacity, 1, blocks, model.Spec.Rope.Dims));
        pages = kernels.AllocatePages(model.Spec.CacheLayout(BlockSize, KvType.F16, KvType.F16), blocks);
        workspace = new Workspace(kernels, model.Spec, capacity, 1);
        // Blocks in falling order: a kernel that does not walk the table reads the wrong ones.
        for (int i = 0; i < blocks; i++) batch.SetBlock(0, i, blocks - 1 - i);
    }

    /// <summary>Runs the next tokens and returns the logits of the last one, [vocabulary].</summary>
    public float[] Append(ReadOnlySpan<int> tokens)
    {
        (batch.RowCount, batch.SequenceCount, batch.OutputCount) = (tokens.Length, 1, 1);
        (batch.QueryStart[0], batch.QueryCount[0], batch.KvLength[0], batch.TableSlot[0]) = (0, tokens.Length, length + tokens.Length, 0);
        for (int row = 0; row < tokens.Length; row++)
        {
            int position = length + row;
            batch.Tokens[row] = tokens[row];
            batch.Positions[row] = position;
            batch.RowSequence[row] = 0;
            batch.Slots[row] = batch.BlockTables[position / BlockSize] * BlockSize + position % BlockSize;
        }
        batch.OutputRows[0] = tokens.Length - 1;
        length += tokens.Length;
        decoder.PrepareRope(batch);
        kernels.Upload(batch);
        decoder.Forward(batch, model.Weights, pages, workspace);
        decoder.Logits(batch, 0, 1, model.Weights, workspace);
        return kernels.Download(workspace.Logits, 1)[..model.Spec.Vocabulary].ToArray();
    }

    public void Dispose()
    {
        workspace.Dispose();
        pages.Dispose();
    }
}
