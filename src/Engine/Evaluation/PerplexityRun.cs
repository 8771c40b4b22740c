using System.Diagnostics;
using Inference.Kernels;
using Inference.Models;

namespace Inference.Evaluation;

/// <summary>
/// Perplexity of a text, and optionally the divergence from another run. Works on the engine's device and weights with pages of its own, past
/// scheduler and sampler, since whole rows of logits are wanted: the engine must have no requests meanwhile. Windows run together as far as
/// a step has room, and logits exist 64 MiB at a time.
/// </summary>
internal sealed unsafe class PerplexityRun : IDisposable
{
    private readonly InferenceEngine engine;
    private readonly TextWindows windows;
    private readonly Decoder decoder;
    private readonly StepBatch batch;
    private readonly KvPages pages;
    private readonly Workspace workspace;
    private readonly int perStep, rowsPerStep;
    private readonly ParallelOptions parallel;
    private readonly RowMeasures[] measures;
    private readonly byte[] baseRecords, records;

    /// <param name="engine">Loaded, without requests.</param>
    /// <param name="options">What it was loaded with: KV type and block size hold here too. At most MaxBatchTokens rows are run at once.</param>
    /// <param name="windows">The text.</param>
    /// <param name="divergence">Whether <see cref="Run"/> gets a baseline or a file to save to.</param>
    public PerplexityRun(InferenceEngine engine, EngineOptions options, TextWindows windows, bool divergence)
    {
        (this.engine, this.windows) = (engine, windows);
        ModelSpec spec = engine.Model.Spec;
        // A window's last token predicts nothing and is not run.
        int longest = windows.Context - 1, blocksPerWindow = (longest + options.BlockSize - 1) / options.BlockSize;
        perStep = Math.Clamp(options.MaxBatchTokens / longest, 1, windows.Count);
        rowsPerStep = Math.Min(options.MaxBatchTokens, perStep * longest);
        decoder = new Decoder(spec, engine.Kernels);
        batch = new StepBatch(new StepCapacity(rowsPerStep, perStep, blocksPerWindow, spec.Rope.Dims));
        for (int i = 0; i < perStep * blocksPerWindow; i++) batch.SetBlock(i / blocksPerWindow, i % blocksPerWindow, i);
        Layout = engine.CacheLayout(options);
        pages = engine.Kernels.AllocatePages(Layout, perStep * blocksPerWindow);
        workspace = new Workspace(engine.Kernels, spec, rowsPerStep, rowsPerStep);
        measures = new RowMeasures[workspace.LogitRows];
        baseRecords = divergence ? new byte[workspace.LogitRows * SavedRow.Bytes(spec.Vocabulary)] : [];
        records = divergence ? new byte[baseRecords.Length] : [];
        parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Threads == 0 ? Environment.ProcessorCount : options.Threads };
    }

    /// <summary>Pages of the run.</summary>
    public KvLayout Layout { get; }

    /// <summary>The head under which this run's logits are saved, and compared with others'.</summary>
    public SavedLogits Head => SavedLogits.Of(engine.ModelName, engine.Model.Spec.Vocabulary, engine.Tokenizer, windows);

    /// <param name="baseline">Logits to compare with, of the same windows; or null.</param>
    /// <param name="save">Where the logits go; or null. The caller completes the file.</param>
    /// <param name="progress">Hears of the windows done.</param>
    /// <param name="cancellation">Ends the run between two steps.</param>
    /// <exception cref="InferenceException">A row of logits holds values that are no numbers.</exception>
    public PerplexityResult Run(SavedLogitsReader? baseline, SavedLogitsWriter? save, Action<int> progress, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        var result = new PerplexityResult { Windows = windows.Count, Compared = baseline is not null };
        for (int first = 0; first < windows.Count; first += perStep)
        {
            int count = Math.Min(perStep, windows.Count - first);
            for (int position = 0; position < windows[first].Length - 1; position += rowsPerStep)
            {
                cancellation.ThrowIfCancellationRequested();
                Fill(first, count, position);
                Step(first, baseline, save, result);
            }
            progress(first + count);
        }
        result.Seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        return result;
    }

    /// <summary>The rows of some windows from a position on: several whole windows, or a part of one.</summary>
    private void Fill(int first, int count, int position)
    {
        int row = 0, blockSize = Layout.BlockSize;
        for (int sequence = 0; sequence < count; sequence++)
        {
            ReadOnlySpan<int> window = windows[first + sequence];
            int end = Math.Min(window.Length - 1, position + rowsPerStep);
            (batch.QueryStart[sequence], batch.QueryCount[sequence], batch.KvLength[sequence], batch.TableSlot[sequence]) = (row, end - position, end, sequence);
            for (int p = position; p < end; p++, row++)
            {
                (batch.Tokens[row], batch.Positions[row], batch.RowSequence[row], batch.OutputRows[row]) = (window[p], p, sequence, row);
                batch.Slots[row] = batch.BlockTables[sequence * batch.Capacity.BlocksPerSequence + p / blockSize] * blockSize + p % blockSize;
            }
        }
        (batch.RowCount, batch.SequenceCount, batch.OutputCount) = (row, count, row);
    }

    private void Step(int firstWindow, SavedLogitsReader? baseline, SavedLogitsWriter? save, PerplexityResult result)
    {
        decoder.PrepareRope(batch);
        engine.Kernels.Upload(batch);
        decoder.Forward(batch, engine.Model.Weights, pages, workspace);
        int vocabulary = engine.Model.Spec.Vocabulary, recordBytes = SavedRow.Bytes(vocabulary);
        for (int first = 0; first < batch.OutputCount; first += workspace.LogitRows)
        {
            int count = Math.Min(workspace.LogitRows, batch.OutputCount - first);
            decoder.Logits(batch, first, count, engine.Model.Weights, workspace);
            baseline?.Read(baseRecords.AsSpan(0, count * recordBytes));
            fixed (float* logits = engine.Kernels.Download(workspace.Logits, count)) Measure((nint)logits, firstWindow, first, count, baseline is not null, save is not null);
            save?.Write(records.AsSpan(0, count * recordBytes));
            for (int i = 0; i < count; i++)
            {
                if (double.IsNaN(measures[i].Nll)) throw new InferenceException($"the logits of window {firstWindow + batch.RowSequence[first + i]}, position {batch.Positions[first + i]}, are not numbers");
                result.Add(measures[i]);
            }
        }
    }

    /// <summary>Measures rows in parallel; each writes its own entry, so that sums are taken in the order of the text.</summary>
    private void Measure(nint logits, int firstWindow, int firstRow, int count, bool compare, bool save)
    {
        int vocabulary = engine.Model.Spec.Vocabulary, recordBytes = SavedRow.Bytes(vocabulary);
        Parallel.For(0, count, parallel, () => compare ? (Ours: new float[vocabulary], Base: new float[vocabulary]) : default, (i, _, scratch) =>
        {
            var row = new ReadOnlySpan<float>((float*)logits + (long)i * vocabulary, vocabulary);
            int next = windows[firstWindow + batch.RowSequence[firstRow + i]][batch.Positions[firstRow + i] + 1];
            double nll = RowMeasures.NegativeLogLikelihood(row, next), divergence = 0;
            bool sameTop = false;
            if (compare || save) SavedRow.Encode(row, records.AsSpan(i * recordBytes, recordBytes));
            if (compare)
            {
                // This run's row is rounded to its grid too: runs that agree have divergence 0.
                SavedRow.Decode(records.AsSpan(i * recordBytes, recordBytes), scratch.Ours);
                SavedRow.Decode(baseRecords.AsSpan(i * recordBytes, recordBytes), scratch.Base);
                divergence = RowMeasures.KullbackLeibler(scratch.Base, scratch.Ours);
                sameTop = SavedRow.Top(baseRecords.AsSpan(i * recordBytes)) == SavedRow.Top(records.AsSpan(i * recordBytes));
            }
            measures[i] = new RowMeasures(nll, divergence, sameTop);
            return scratch;
        }, _ => { });
    }

    public void Dispose()
    {
        workspace.Dispose();
        pages.Dispose();
    }
}
