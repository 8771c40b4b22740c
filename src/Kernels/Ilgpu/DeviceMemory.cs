using ILGPU;
using ILGPU.Runtime;

namespace Inference.Kernels;

/// <summary>Allocation with an error that says what did not fit.</summary>
internal static class DeviceMemory
{
    /// <exception cref="InsufficientMemoryException">The device has not that much; names what was to be stored, the bytes and the device.</exception>
    public static MemoryBuffer1D<T, Stride1D.Dense> Allocate<T>(this Accelerator accelerator, long length, string what) where T : unmanaged
    {
        try
        {
            return accelerator.Allocate1D<T>(length);
        }
        catch (Exception e) when (e is AcceleratorException or OutOfMemoryException)
        {
            throw new InsufficientMemoryException($"{what}: {length * Interop.SizeOf<T>()} bytes do not fit on {accelerator.Name} ({accelerator.MemorySize} bytes in all): {e.Message}", e);
        }
    }
}

/// <summary>Float32 rows on the device.</summary>
internal sealed class DeviceRows : Activations
{
    private readonly MemoryBuffer1D<Float4, Stride1D.Dense> buffer;
    private float[] host = [];

    public DeviceRows(Accelerator accelerator, int rows, int columns) : base(rows, columns)
    {
        // Whole vectors of 4, so that the last row can be read by them.
        buffer = accelerator.Allocate<Float4>(Math.Max(1, ((long)rows * columns + 3) / 4), $"{rows} rows of {columns} activations");
        buffer.MemSetToZero();
        Vectors = buffer.View;
        Values = Vectors.Cast<float>();
    }

    /// <summary>[rows][columns]</summary>
    public ArrayView<float> Values { get; }

    /// <summary>The same memory by 16 bytes.</summary>
    public ArrayView<Float4> Vectors { get; }

    /// <summary>Waits for the stream and returns the first rows.</summary>
    public ReadOnlySpan<float> Read(AcceleratorStream stream, int rows)
    {
        int count = checked(rows * Columns);
        if (host.Length < count) host = new float[count];
        Span<float> values = host.AsSpan(0, count);
        Values.SubView(0, count).CopyToCPU(stream, values);
        return values;
    }

    public override void Dispose() => buffer.Dispose();
}

/// <summary>A parameter vector on the device.</summary>
internal sealed class DeviceVector : ParameterVector
{
    private readonly MemoryBuffer1D<Float4, Stride1D.Dense> buffer;

    public DeviceVector(Accelerator accelerator, ReadOnlySpan<float> values) : base(values.Length)
    {
        buffer = accelerator.Allocate1D<Float4>(Math.Max(1, (values.Length + 3) / 4));
        buffer.MemSetToZero();
        Vectors = buffer.View;
        Values = Vectors.Cast<float>();
        Values.SubView(0, values.Length).CopyFromCPU(accelerator.DefaultStream, values);
    }

    public ArrayView<float> Values { get; }
    public ArrayView<Float4> Vectors { get; }
    public override void Dispose() => buffer.Dispose();
}

/// <summary>The pages of a cache group: two buffers to a layer, since a host sub-view beyond 2^31 elements crashes on OpenCL.</summary>
internal sealed class DevicePages : KvPages
{
    private readonly MemoryBuffer1D<UInt4, Stride1D.Dense>[] keys, values;

    public DevicePages(Accelerator accelerator, KvLayout layout, int blocks) : base(layout, blocks)
    {
        if (layout.BlockSize is < 16 or > 256 || layout.BlockSize % 16 != 0) throw new ArgumentException($"block size {layout.BlockSize}: expected a multiple of 16 from 16 to 256", nameof(layout));
        if ((long)blocks * layout.BlockSize * layout.KvHeads > int.MaxValue) throw new ArgumentException($"{blocks} blocks of {layout.BlockSize} tokens and {layout.KvHeads} heads: rows exceed 2^31", nameof(blocks));
        long rows = (long)blocks * layout.BlockSize * layout.KvHeads;
        keys = new MemoryBuffer1D<UInt4, Stride1D.Dense>[layout.Layers];
        values = new MemoryBuffer1D<UInt4, Stride1D.Dense>[layout.Layers];
        try
        {
            for (int i = 0; i < layout.Layers; i++)
            {
                string what = $"KV pages of layer {i} ({blocks} blocks of {layout.BlockSize} tokens)";
                keys[i] = accelerator.Allocate<UInt4>(rows * layout.KeyBytes / 16, what);
                values[i] = accelerator.Allocate<UInt4>(rows * layout.ValueBytes / 16, what);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The pages of one layer as kernels see them.</summary>
    public PagesView View(int layer) => new()
    {
        Keys = keys[layer].View,
        Values = values[layer].View,
        KvHeads = Layout.KvHeads,
        KeyDim = Layout.KeyDim,
        ValueDim = Layout.ValueDim,
        BlockSize = Layout.BlockSize,
    };

    public override long BytesPerBlock => Layout.Layers * (KeyBlock(0).Length + ValueBlock(0).Length) * Interop.SizeOf<UInt4>();

    /// <summary>K of a block in one layer, which lies in one piece.</summary>
    public ArrayView<UInt4> KeyBlock(int layer, int block = 0) => Block(keys[layer], block);

    /// <summary>V of a block in one layer.</summary>
    public ArrayView<UInt4> ValueBlock(int layer, int block = 0) => Block(values[layer], block);

    private ArrayView<UInt4> Block(MemoryBuffer1D<UInt4, Stride1D.Dense> buffer, int block)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)block, (uint)Blocks, nameof(block));
        long length = buffer.Length / Blocks;
        return buffer.View.SubView(block * length, length);
    }

    /// <summary>All bits set is NaN in every element type.</summary>
    public override void FillWithNaN()
    {
        foreach (MemoryBuffer1D<UInt4, Stride1D.Dense> buffer in keys) buffer.MemSet(0xff);
        foreach (MemoryBuffer1D<UInt4, Stride1D.Dense> buffer in values) buffer.MemSet(0xff);
    }

    public override void Dispose()
    {
        foreach (MemoryBuffer1D<UInt4, Stride1D.Dense>? buffer in keys) buffer?.Dispose();
        foreach (MemoryBuffer1D<UInt4, Stride1D.Dense>? buffer in values) buffer?.Dispose();
    }
}

/// <summary>Activations between two launches of one operation: int8 blocks and normed floats, sized for the largest operation so far.</summary>
internal sealed class Scratch(Accelerator accelerator) : IDisposable
{
    private MemoryBuffer1D<UInt4, Stride1D.Dense>? quants;
    private MemoryBuffer1D<float, Stride1D.Dense>? scales;
    private MemoryBuffer1D<int, Stride1D.Dense>? sums;
    private MemoryBuffer1D<Float4, Stride1D.Dense>? floats;

    /// <summary>Room for int8 rows; grows to the step's capacity at the first call of a shape.</summary>
    public QuantizedRows Quantized(int rows, int columns)
    {
        long chunks = (long)rows * (columns / 32);
        Grow(ref quants, chunks * 2);
        Grow(ref scales, chunks);
        Grow(ref sums, chunks);
        return new() { Quants = quants!.View, Scales = scales!.View, Sums = sums!.View, Chunks = columns / 32 };
    }

    /// <summary>Room for float rows.</summary>
    public ArrayView<Float4> Floats(int rows, int columns)
    {
        Grow(ref floats, (long)rows * columns / 4);
        return floats!.View;
    }

    private void Grow<T>(ref MemoryBuffer1D<T, Stride1D.Dense>? buffer, long length) where T : unmanaged
    {
        if (buffer is not null && buffer.Length >= length) return;
        if (buffer is not null)
        {
            accelerator.Synchronize(); // a launch may still read it
            buffer.Dispose();
        }
        buffer = accelerator.Allocate<T>(Math.Max(1, length), "scratch memory of a step");
    }

    public void Dispose()
    {
        quants?.Dispose();
        scales?.Dispose();
        sums?.Dispose();
        floats?.Dispose();
    }
}
