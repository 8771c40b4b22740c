using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;

namespace Inference.Kernels;

/// <summary>A weight matrix on the device as it stands in the file; rows are decoded to <see cref="UnpackedRows"/> whenever they are used.</summary>
internal sealed class StoredDeviceWeight : DeviceWeight
{
    private readonly MemoryBuffer1D<byte, Stride1D.Dense> blocks;

    public unsafe StoredDeviceWeight(Accelerator accelerator, StoredKernels format, in TensorSource source) : base(source.Name, format.Type, source.Rows, source.Columns, format.Kernels)
    {
        CheckColumns(source);
        Decode = format.Decode;
        blocks = accelerator.Allocate<byte>(source.Bytes, $"tensor '{source.Name}'");
        blocks.View.BaseView.CopyFromCPU(accelerator.DefaultStream, ref *(byte*)source.Data, source.Bytes);
    }

    /// <summary>Decodes rows of this format.</summary>
    public DeviceKernel<DecodeRowsArgs> Decode { get; }

    /// <summary>The file's bytes.</summary>
    public ArrayView<byte> Bytes => blocks.View;

    public override long PackedBytes => blocks.LengthInBytes;

    public override void Dispose() => blocks.Dispose();
}

/// <summary>
/// Scratch memory of decoded rows, shared by all stored weights since operations run in order: as large as the largest weight, up to a bound. It grows at
/// load only. With it go the codebooks, once to a kernel set.
/// </summary>
internal sealed class UnpackedRows : IDisposable
{
    /// <summary>8 MiB: 1365 rows of 4096. Fewer rows cost more launches, more memory leaves the caches of GPUs.</summary>
    private const long MaximumBytes = 8 << 20;

    private const int ChunkBytes = 48;

    private readonly Accelerator accelerator;
    private readonly int rowMultiple;
    private readonly MemoryBuffer1D<uint, Stride1D.Dense> codebooks;
    private readonly MemoryBuffer1D<int, Stride1D.Dense> noMap;
    private MemoryBuffer1D<UInt4, Stride1D.Dense>? quants, headers;

    /// <param name="accelerator">Where.</param>
    /// <param name="rowMultiple">Rows of a product in one group: no group should be cut by a part's end.</param>
    public UnpackedRows(Accelerator accelerator, int rowMultiple)
    {
        (this.accelerator, this.rowMultiple) = (accelerator, rowMultiple);
        codebooks = accelerator.Allocate<uint>(DeviceCodebooks.Words, "codebooks");
        codebooks.View.CopyFromCPU(accelerator.DefaultStream, DeviceCodebooks.All());
        noMap = accelerator.Allocate<int>(1, "codebooks");
    }

    public ArrayView<uint> Codebooks => codebooks.View;

    /// <summary>A view for kernels that will not look.</summary>
    public ArrayView<int> NoMap => noMap.View;

    /// <summary>Quants of the rows by words.</summary>
    public ArrayView<uint> QuantWords => quants!.View.AsContiguous().Cast<uint>();

    /// <summary>Rows that are decoded at a time.</summary>
    public int Rows(int columns) => Rows(headers!.Length, columns);

    /// <summary>Makes room for a weight.</summary>
    public void Reserve(int rows, int columns)
    {
        long chunks = columns / 32, wanted = Math.Min(((long)rows + rowMultiple - 1) / rowMultiple * rowMultiple * chunks, MaximumBytes / ChunkBytes);
        wanted = Math.Max(wanted, rowMultiple * chunks);
        if (headers is not null && headers.Length >= wanted) return;
        accelerator.Synchronize(); // a launch may still use it
        Free();
        quants = accelerator.Allocate<UInt4>(wanted * 2, "decoded rows of weights");
        headers = accelerator.Allocate<UInt4>(wanted, "decoded rows of weights");
    }

    /// <summary>The first rows as a matrix.</summary>
    public PackedMatrix View(int rows, int columns) =>
        new() { Quants = quants!.View, Bits = codebooks.View, Scales = codebooks.View.AsContiguous().Cast<ushort>(), Headers = headers!.View, Rows = rows, Chunks = columns / 32 };

    private int Rows(long chunks, int columns) => (int)Math.Min(chunks / (columns / 32) / rowMultiple * rowMultiple, int.MaxValue / 2);

    private void Free()
    {
        quants?.Dispose();
        headers?.Dispose();
    }

    public void Dispose()
    {
        Free();
        codebooks.Dispose();
        noMap.Dispose();
    }
}
