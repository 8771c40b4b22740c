using System.Runtime.ExceptionServices;
using Inference.Kernels;

namespace Inference.Models;

/// <summary>What became of a model.</summary>
/// <param name="Tensors">Tensors in the file's order.</param>
/// <param name="SourceTypes">What each was before.</param>
/// <param name="Length">Bytes of the new file.</param>
/// <param name="Unguided">Quantised matrices that the importance matrix does not know; 0 without one.</param>
internal sealed record QuantizationResult(IReadOnlyList<GgufTensorEntry> Tensors, IReadOnlyList<TensorType> SourceTypes, long Length, int Unguided);

/// <summary>Writes a model as a GGUF file with its weights in other types.</summary>
internal static class ModelQuantizer
{
    /// <summary>Elements that a worker decodes, encodes and writes in one go: 0.5 MiB of float32 stays in its cache.</summary>
    private const int ChunkElements = 128 * 1024;

    /// <summary>So many rows of a tensor.</summary>
    private readonly record struct Chunk(int Tensor, int FirstRow, int Rows);

    /// <summary>Quantises a GGUF file.</summary>
    /// <param name="model">The file; with importances and types chosen by <paramref name="options"/>.</param>
    /// <param name="path">The new file; it appears when it is complete, and not at all after an error.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Hears how many elements are done of how many; from several threads.</param>
    /// <param name="cancellation">Ends the work early.</param>
    /// <exception cref="ModelFormatException">The model cannot be read, is quantised already, or holds numbers that the new types cannot.</exception>
    /// <exception cref="IOException">The new file cannot be written.</exception>
    public static QuantizationResult Quantize(ModelFile model, string path, QuantizationOptions options, Action<long, long>? progress = null, CancellationToken cancellation = default)
    {
        GgufFile file = model as GgufFile ?? (model as SplitGguf)?.First ?? throw new ModelFormatException(model.Path, "file", "GGUF (convert takes folders)", model.Format);
        var metadata = new GgufMetadata();
        // A copy is one file, also of a model in several.
        foreach (string key in file.Metadata.Keys)
            if (!key.StartsWith("split.", StringComparison.Ordinal)) metadata.Copy(file, key);
        return Write(model, model.Tensors, metadata, path, options, progress, cancellation);
    }

    /// <summary>Writes tensors of any model in the order given; <paramref name="metadata"/> lacks only what tells of the quantisation.</summary>
    public static QuantizationResult Write(ModelFile model, IReadOnlyList<StoredTensor> tensors, GgufMetadata metadata, string path, QuantizationOptions options, Action<long, long>? progress = null, CancellationToken cancellation = default)
    {
        List<GgufTensorEntry> entries = QuantizationPlan.Of(model, tensors, options);
        TensorSource[] sources = [.. tensors.Select(model.Source)];
        var importances = new float[]?[entries.Count];
        int unguided = 0;
        for (int i = 0; i < entries.Count; i++)
        {
            if (entries[i].Type == sources[i].Format.Type) continue;
            if (IsLossy(sources[i].Format.Type) && !options.Requantize)
                throw new ModelFormatException(model.Path, $"tensor {model.OwnName(entries[i].Name)}", "F32, F16 or BF16 (--requantize takes others too, and adds to their error)", tensors[i].TypeName);
            importances[i] = options.Importance?.Of(tensors[i]);
            if (options.Importance is not null && importances[i] is null && IsLossy(entries[i].Type)) unguided++;
        }
        metadata.Set("general.file_type", (uint)options.Mix.FileType).Set("general.quantization_version", 2u);
        if (options.Importance is { } matrix) metadata.Set("quantize.imatrix.file", matrix.FileName).Set("quantize.imatrix.entries_count", (uint)matrix.Count);
        using var writer = new GgufFileWriter(path, metadata, entries, options.Replace);
        Run([.. Chunks(sources)], () => new Worker(model, sources, entries, importances, writer), options.Threads, progress, cancellation);
        writer.Commit();
        return new(entries, [.. sources.Select(s => s.Format.Type)], writer.Length, unguided);
    }

    private static bool IsLossy(TensorType type) => type is not (TensorType.F32 or TensorType.F16 or TensorType.BF16);

    private static IEnumerable<Chunk> Chunks(TensorSource[] sources)
    {
        for (int i = 0; i < sources.Length; i++)
        {
            int rows = Math.Max(1, ChunkElements / sources[i].Columns);
            for (int row = 0; row < sources[i].Rows; row += rows) yield return new(i, row, Math.Min(rows, sources[i].Rows - row));
        }
    }

    private static void Run(Chunk[] chunks, Func<Worker> makeWorker, int threads, Action<long, long>? progress, CancellationToken cancellation)
    {
        int next = -1;
        long done = 0, total = 0;
        Worker[] workers = [.. Enumerable.Range(0, Math.Min(chunks.Length, threads > 0 ? threads : Environment.ProcessorCount)).Select(_ => makeWorker())];
        foreach (Chunk chunk in chunks) total += workers[0].Elements(chunk);
        Exception? failure = null;
        // Threads of their own: the work takes minutes, and what shows its progress needs the pool.
        Thread[] running = [.. workers.Select(worker => new Thread(() => Work(worker)) { IsBackground = true, Name = "quantize" })];
        foreach (Thread thread in running) thread.Start();
        foreach (Thread thread in running) thread.Join();
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
        cancellation.ThrowIfCancellationRequested();

        void Work(Worker worker)
        {
            try
            {
                while (Volatile.Read(ref failure) is null && !cancellation.IsCancellationRequested)
                {
                    int index = Interlocked.Increment(ref next);
                    if (index >= chunks.Length) return;
                    worker.Do(chunks[index]);
                    progress?.Invoke(Interlocked.Add(ref done, worker.Elements(chunks[index])), total);
                }
            }
            catch (Exception error)
            {
                Interlocked.CompareExchange(ref failure, error, null);
            }
        }
    }

    /// <summary>One thread's buffers, and what it does with a chunk.</summary>
    private sealed class Worker(ModelFile model, TensorSource[] sources, List<GgufTensorEntry> entries, float[]?[] importances, GgufFileWriter writer)
    {
        private float[] values = [], importance = [];
        private byte[] blocks = [];

        public long Elements(Chunk chunk) => (long)chunk.Rows * sources[chunk.Tensor].Columns;

        public void Do(Chunk chunk)
        {
            TensorSource source = sources[chunk.Tensor];
            GgufTensorEntry entry = entries[chunk.Tensor];
            if (source.Format.Type == entry.Type) Copy(chunk, source);
            else Encode(chunk, source, entry);
        }

        /// <summary>Row by row: the source may put rows in another order than they stand in.</summary>
        private void Copy(Chunk chunk, TensorSource source)
        {
            int rowBytes = checked((int)source.Format.RowBytes(source.Columns));
            Span<byte> bytes = Grow(ref blocks, rowBytes * chunk.Rows);
            for (int r = 0; r < chunk.Rows; r++) source.Row(chunk.FirstRow + r).CopyTo(bytes[(r * rowBytes)..]);
            writer.Write(chunk.Tensor, (long)chunk.FirstRow * rowBytes, bytes);
        }

        private void Encode(Chunk chunk, TensorSource source, GgufTensorEntry entry)
        {
            int columns = source.Columns;
            BlockEncoder encoder = BlockEncoder.Of(entry.Type);
            Span<float> decoded = Grow(ref values, columns * chunk.Rows);
            for (int r = 0; r < chunk.Rows; r++) source.DecodeRow(chunk.FirstRow + r, decoded.Slice(r * columns, columns));
            Check(chunk, decoded, columns, entry.Type);
            int rowBytes = columns / encoder.BlockElements * encoder.BlockBytes;
            Span<byte> bytes = Grow(ref blocks, rowBytes * chunk.Rows);
            encoder.Encode(decoded, Importance(chunk, entry, columns), bytes);
            writer.Write(chunk.Tensor, (long)chunk.FirstRow * rowBytes, bytes);
        }

        private ReadOnlySpan<float> Importance(Chunk chunk, GgufTensorEntry entry, int columns)
        {
            if (importances[chunk.Tensor] is not { } all) return [];
            Span<float> spread = Grow(ref importance, columns * chunk.Rows);
            for (int r = 0; r < chunk.Rows; r++)
            {
                // Each of several outer matrices (experts) may have importances of its own.
                long matrix = all.Length > columns ? (chunk.FirstRow + r) / entry.Dims[1] : 0;
                all.AsSpan((int)(matrix * columns), columns).CopyTo(spread[(r * columns)..]);
            }
            return spread;
        }

        /// <summary>A scale search over infinities would write nonsense without a word.</summary>
        private void Check(Chunk chunk, ReadOnlySpan<float> decoded, int columns, TensorType type)
        {
            float limit = type == TensorType.F16 ? 65504 + 16 : float.PositiveInfinity;
            for (int i = 0; i < decoded.Length; i++)
                if (!(Math.Abs(decoded[i]) < limit))
                    throw new ModelFormatException(model.Path, $"tensor {model.OwnName(entries[chunk.Tensor].Name)}, row {chunk.FirstRow + i / columns}, column {i % columns}", type == TensorType.F16 ? "numbers that F16 can hold (BF16 holds larger ones)" : "finite numbers", $"{decoded[i]}");
        }

        private static Span<T> Grow<T>(ref T[] buffer, int length)
        {
            if (buffer.Length < length) buffer = GC.AllocateUninitializedArray<T>(length);
            return buffer.AsSpan(0, length);
        }
    }
}
