using System.Diagnostics;
using Inference.Kernels;
using Inference.KvCache;
using Inference.Models;
using Inference.Sampling;
using Inference.Scheduling;

namespace Inference;

/// <summary>Runs a plan: copies it into the device's batch, makes the forward pass, and samples from the rows that the plan lists.</summary>
internal sealed class StepRunner : IDisposable
{
    private readonly LoadedModel model;
    private readonly KernelSet kernels;
    private readonly KvPages pages;
    private readonly SwapSpace swapSpace;
    private readonly Workspace workspace;
    private readonly Decoder decoder;
    private readonly StepBatch batch;
    private readonly SampleRows sampling;

    public StepRunner(LoadedModel model, IReadOnlySet<int> endTokens, KernelSet kernels, KvPages pages, int swapBlocks, StepCapacity capacity)
    {
        this.model = model;
        this.kernels = kernels;
        this.pages = pages;
        swapSpace = new SwapSpace(swapBlocks, pages.BytesPerBlock);
        decoder = new Decoder(model.Spec, kernels);
        batch = new StepBatch(capacity);
        workspace = new Workspace(kernels, model.Spec, capacity.Rows, capacity.Rows);
        sampling = new SampleRows(kernels, model.Spec.Vocabulary, [.. endTokens], workspace.LogitRows);
    }

    /// <summary>Time that the last step spent between the upload of its batch and the logits, in ticks of <see cref="Stopwatch"/>; the rest of it is the host's.</summary>
    public long ForwardTicks { get; private set; }

    /// <summary>What of the last step's time went into sampling, in the same ticks.</summary>
    public long SampleTicks { get; private set; }

    /// <summary>Runs the step and fills <paramref name="results"/>. <paramref name="requests"/>: the request of each sequence of the plan.</summary>
    public void Run(StepPlan plan, Request[] requests, StepResults results)
    {
        results.Clear();
        SampleTicks = 0;
        MoveBlocks(plan);
        Fill(plan);
        decoder.PrepareRope(batch);
        long start = Stopwatch.GetTimestamp();
        kernels.Upload(batch);
        decoder.Forward(batch, model.Weights, pages, workspace);
        ForwardTicks = Stopwatch.GetTimestamp() - start;
        for (int first = 0; first < plan.OutputCount; first += workspace.LogitRows)
        {
            int count = Math.Min(workspace.LogitRows, plan.OutputCount - first);
            start = Stopwatch.GetTimestamp();
            decoder.Logits(batch, first, count, model.Weights, workspace);
            ReadOnlySpan<float> rows = kernels.Download(workspace.Logits, count);
            long computed = Stopwatch.GetTimestamp();
            ForwardTicks += computed - start;
            sampling.Run(plan, requests, rows, first, count);
            for (int i = 0; i < count; i++) Take(plan, first, i, requests, rows.Slice(i * model.Spec.Vocabulary, model.Spec.Vocabulary), results);
            SampleTicks += Stopwatch.GetTimestamp() - computed;
        }
    }

    /// <summary>Blocks are copied and moved before the step writes anything, one after the other: what one reads the next may overwrite.</summary>
    private void MoveBlocks(StepPlan plan)
    {
        foreach ((BlockOperationKind kind, int from, int to) in plan.Operations(0))
        {
            if (kind == BlockOperationKind.Copy) kernels.CopyBlock(pages, from, to);
            else if (kind == BlockOperationKind.SwapOut) kernels.ReadBlock(pages, from, swapSpace[to]);
            else kernels.WriteBlock(pages, to, swapSpace[from]);
        }
        plan.OperationsDone();
    }

    private void Fill(StepPlan plan)
    {
        foreach (TableEntry entry in plan.NewEntries(0)) batch.SetBlock(entry.TableSlot, entry.Index, entry.Block);
        batch.RowCount = plan.RowCount;
        plan.Tokens.CopyTo(batch.Tokens);
        plan.Positions.CopyTo(batch.Positions);
        plan.Slots(0).CopyTo(batch.Slots);
        plan.RowSequence.CopyTo(batch.RowSequence);
        batch.SequenceCount = plan.SequenceCount;
        plan.QueryStart.CopyTo(batch.QueryStart);
        plan.QueryCount.CopyTo(batch.QueryCount);
        plan.KvLength.CopyTo(batch.KvLength);
        plan.TableSlot.CopyTo(batch.TableSlot);
        batch.OutputCount = plan.OutputCount;
        for (int i = 0; i < plan.OutputCount; i++) batch.OutputRows[i] = plan.Outputs[i].Row;
    }

    /// <summary>Takes up row <paramref name="index"/> of the outputs from <paramref name="first"/> on.</summary>
    private void Take(StepPlan plan, int first, int index, Request[] requests, ReadOnlySpan<float> row, StepResults results)
    {
        OutputRow output = plan.Outputs[first + index];
        Request request = requests[output.Sequence];
        if (results.IsFinished(output.Sequence)) return;
        try
        {
            Take(plan, output, index, request, row, results);
        }
        catch (Exception e)
        {
            // What sampling meets there, a dictionary of the client's for example, is this request's own affair.
            request.Fail(e);
            results.Finish(output.Sequence);
        }
    }

    private void Take(StepPlan plan, OutputRow output, int index, Request request, ReadOnlySpan<float> row, StepResults results)
    {
        if ((output.Kind & OutputKind.Logprobs) != 0) request.AddPromptLogprobs(plan.Positions[output.Row], row);
        if ((output.Kind & OutputKind.Sample) == 0) return;
        int token = sampling.Token(index);
        bool finished = request.Accept(token, row, out bool append);
        if (append) results.AddToken(output.Sequence, token);
        if (finished) results.Finish(output.Sequence);
    }

    public void Dispose()
    {
        workspace.Dispose();
        pages.Dispose();
    }
}
