using ILGPU;
using ILGPU.Runtime;

namespace Inference.Kernels;

/// <summary>A weight matrix on the device.</summary>
internal abstract class DeviceWeight(string name, TensorType type, int rows, int columns, WeightKernels kernels) : Weight(name, type, rows, columns)
{
    /// <summary>The kernels that read it, packed or decoded.</summary>
    public WeightKernels Kernels { get; } = kernels;

    /// <exception cref="ArgumentException">The columns are no multiple of 32 or of the format's block.</exception>
    protected static void CheckColumns(in TensorSource source)
    {
        int multiple = Math.Max(32, source.Format.BlockElements);
        if (source.Columns % multiple != 0) throw new ArgumentException($"tensor '{source.Name}': {source.Columns} columns, expected a multiple of {multiple} on this device", nameof(source));
    }
}

/// <summary>A weight matrix in its format's packed layout.</summary>
internal sealed class PackedDeviceWeight : DeviceWeight
{
    private readonly MemoryBuffer1D<UInt4, Stride1D.Dense> quants, headers;
    private readonly MemoryBuffer1D<uint, Stride1D.Dense> bits;
    private readonly MemoryBuffer1D<ushort, Stride1D.Dense> scales;

    private PackedDeviceWeight(string name, PackedKernels format, int rows, int columns, PackedSizes sizes, Accelerator accelerator)
        : base(name, format.Type, rows, columns, format.Kernels)
    {
        PackedBytes = sizes.Bytes;
        quants = accelerator.Allocate<UInt4>(sizes.Quants, $"tensor '{name}'");
        bits = accelerator.Allocate<uint>(sizes.Bits, $"tensor '{name}'");
        scales = accelerator.Allocate<ushort>(sizes.Scales, $"tensor '{name}'");
        headers = accelerator.Allocate<UInt4>(sizes.Headers, $"tensor '{name}'");
        View = new() { Quants = quants.View, Bits = bits.View, Scales = scales.View, Headers = headers.View, Rows = rows, Chunks = columns / 32 };
    }

    /// <summary>The matrix as kernels see it.</summary>
    public PackedMatrix View { get; }

    public override long PackedBytes { get; }

    /// <summary>Packs on the host, in parallel over rows, then copies to the device.</summary>
    /// <exception cref="ArgumentException">The columns are no multiple of 32 or of the format's block.</exception>
    public static unsafe PackedDeviceWeight Load(Accelerator accelerator, PackedKernels format, in TensorSource source, bool exact)
    {
        CheckColumns(source);
        int columns = source.Columns;
        PackedSizes sizes = format.Sizes(source.Rows, columns);
        using var host = new NativeBuffer(sizes.Quants * 16 + sizes.Headers * 16 + sizes.Bits * 4 + sizes.Scales * 2, clear: false);
        byte* at = host.Pointer;
        var packed = new PackedHost { Rows = source.Rows, Columns = columns, Quants = (UInt4*)at, Headers = (UInt4*)(at + sizes.Quants * 16) };
        packed.Bits = (uint*)(packed.Headers + sizes.Headers);
        packed.Scales = (ushort*)(packed.Bits + sizes.Bits);
        PackRows(format.PackRow, packed, source, decode: exact && source.Format.Type != TensorType.F32);
        var weight = new PackedDeviceWeight(source.Name, format, source.Rows, columns, sizes, accelerator);
        AcceleratorStream stream = accelerator.DefaultStream;
        weight.quants.View.BaseView.CopyFromCPU(stream, ref *packed.Quants, sizes.Quants);
        weight.headers.View.BaseView.CopyFromCPU(stream, ref *packed.Headers, sizes.Headers);
        weight.bits.View.BaseView.CopyFromCPU(stream, ref *packed.Bits, sizes.Bits);
        weight.scales.View.BaseView.CopyFromCPU(stream, ref *packed.Scales, sizes.Scales);
        return weight;
    }

    private static void PackRows(PackRow pack, PackedHost packed, TensorSource source, bool decode)
    {
        if (!decode)
        {
            Parallel.For(0, source.Rows, row => pack(source.Row(row), packed, row));
            return;
        }
        Parallel.For(0, source.Rows, () => new float[source.Columns], (row, _, values) =>
        {
            source.DecodeRow(row, values);
            pack(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values), packed, row);
            return values;
        }, _ => { });
    }

    public override void Dispose()
    {
        quants.Dispose();
        bits.Dispose();
        scales.Dispose();
        headers.Dispose();
    }
}
