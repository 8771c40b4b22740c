using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>
/// The operations on the host with vector instructions and a persistent thread pool: device <c>cpu</c>. This part holds memory and transfers;
/// products are in SimdKernels.Products.cs, attention and elementwise operations in SimdKernels.Attention.cs.
/// </summary>
internal sealed unsafe partial class SimdKernels : KernelSet
{
    private readonly WorkerPool pool;
    private readonly bool pack;

    /// <param name="level">Instruction set; <see cref="SimdLevels.Best"/> unless forced.</param>
    /// <param name="threads">Threads of a job, the calling one among them.</param>
    /// <param name="pack">Whether to pack weights at load. Without it they are read from the file at each use: slower, and no memory of their own.</param>
    /// <exception cref="PlatformNotSupportedException">The processor lacks the level.</exception>
    public SimdKernels(SimdLevel level, int threads, bool pack = true)
    {
        if (!SimdLevels.IsSupported(level)) throw new PlatformNotSupportedException($"this processor has no {level}; the best here is {SimdLevels.Best}");
        Level = level;
        this.pack = pack;
        input = new ProductInput(TileTable.Widest(SimdLevels.Vectors(level)));
        pool = new WorkerPool(threads);
    }

    /// <summary>The instruction set in use.</summary>
    public SimdLevel Level { get; }

    /// <summary>Threads of a job.</summary>
    public int Threads => pool.Threads;

    public override string Name => "cpu";

    public override string Path => $"cpu {Level}{(pack ? "" : " unpacked")}";

    /// <summary>Float32 rows in native memory, 64-byte aligned, [rows][columns] without gaps.</summary>
    internal sealed class HostRows(int rows, int columns) : Activations(rows, columns)
    {
        private readonly NativeBuffer buffer = new((long)rows * columns * sizeof(float));
        public float* Pointer => (float*)buffer.Pointer;
        public float* Row(int row) => Pointer + (long)row * Columns;
        public override void Dispose() => buffer.Dispose();
    }

    /// <summary>A parameter vector in native memory.</summary>
    internal sealed class HostVector : ParameterVector
    {
        private readonly NativeBuffer buffer;
        public float* Pointer => (float*)buffer.Pointer;

        public HostVector(ReadOnlySpan<float> values) : base(values.Length)
        {
            buffer = new NativeBuffer(values.Length * sizeof(float));
            values.CopyTo(new Span<float>(buffer.Pointer, values.Length));
        }

        public override void Dispose() => buffer.Dispose();
    }

    private static float* Pointer(Activations a) => ((HostRows)a).Pointer;
    private static float* Pointer(ParameterVector? v) => v is null ? null : ((HostVector)v).Pointer;

    public override ParameterVector LoadVector(ReadOnlySpan<float> values) => new HostVector(values);
    public override Activations AllocateActivations(int rows, int columns) => new HostRows(rows, columns);

    /// <summary>Nothing travels: kernels read the batch's arrays. A new step begins.</summary>
    public override void Upload(StepBatch batch)
    {
        step++;
        Array.Clear(batch.DirtyEntries);
    }

    public override ReadOnlySpan<float> Download(Activations activations, int rows) => new(Pointer(activations), checked(rows * activations.Columns));

    public override int HostThreads => Threads;

    public override void RunOnHost(ParallelJob job, int chunks) => pool.Run(job, chunks);

    public override void Fill(Activations activations, ReadOnlySpan<float> values) =>
        values.CopyTo(new Span<float>(Pointer(activations), checked(activations.Rows * activations.Columns)));

    public override void Dispose()
    {
        pool.Dispose();
        DisposeProducts();
        DisposeAttention();
    }
}
