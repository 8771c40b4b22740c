using ILGPU;
using ILGPU.Runtime;

namespace Inference.Kernels;

/// <summary>
/// The operations as ILGPU kernels on one accelerator: CUDA, OpenCL or ILGPU's CPU accelerator. This part holds memory and transfers; operations are
/// in IlgpuKernels.Operations.cs and IlgpuKernels.Attention.cs.
/// </summary>
internal sealed partial class IlgpuKernels : KernelSet
{
    private readonly KernelLoader loader;
    private readonly KernelTable table;
    private readonly Accelerator accelerator;
    private readonly Scratch scratch;
    private readonly List<DeviceBatch> batches = [];
    private UnpackedRows? unpacked;
    private bool disposed;

    /// <param name="name">Device name as the command line spells it.</param>
    /// <param name="loader">Compiles for the accelerator, which the caller owns.</param>
    /// <param name="table">The kernels for the accelerator's kind.</param>
    public IlgpuKernels(string name, KernelLoader loader, KernelTable table)
    {
        (Name, this.loader, this.table, accelerator) = (name, loader, table, loader.Accelerator);
        scratch = new Scratch(accelerator);
    }

    public override string Name { get; }

    public override string Path => $"{accelerator.AcceleratorType} {accelerator.Name}";

    public override double CompileMilliseconds => loader.CompileTime.TotalMilliseconds;

    public override Weight LoadWeight(in TensorSource source, bool exact)
    {
        TensorType type = exact ? TensorType.F32 : source.Format.Type;
        foreach (PackedKernels format in table.Packed)
            if (format.Type == type) return PackedDeviceWeight.Load(accelerator, format, source, exact);
        foreach (StoredKernels format in table.Stored)
            if (format.Type == type)
            {
                unpacked ??= new UnpackedRows(accelerator, table.LinearRows);
                unpacked.Reserve(source.Rows, source.Columns);
                return new StoredDeviceWeight(accelerator, format, source);
            }
        throw new NotSupportedException($"tensor '{source.Name}': {type} has no kernels on {Name}");
    }

    public override ParameterVector LoadVector(ReadOnlySpan<float> values) => new DeviceVector(accelerator, values);

    public override Activations AllocateActivations(int rows, int columns) => new DeviceRows(accelerator, rows, columns);

    public override KvPages AllocatePages(KvLayout layout, int blocks) => new DevicePages(accelerator, layout, blocks);

    public override void Upload(StepBatch batch)
    {
        if (batch.DeviceState is not DeviceBatch state)
        {
            batch.DeviceState = state = new DeviceBatch(accelerator, batch.Capacity);
            batches.Add(state);
        }
        state.Upload(batch, loader.Stream);
        if (state.ChangeCount > 0)
            table.TableUpdate.Launch(loader, Groups(state.ChangeCount), new() { Changes = state.Changes, Tables = state.Tables, Count = state.ChangeCount });
    }

    public override ReadOnlySpan<float> Download(Activations activations, int rows)
    {
        ReadOnlySpan<float> values = ((DeviceRows)activations).Read(loader.Stream, rows);
        foreach (DeviceBatch state in batches) state.Synchronized();
        return values;
    }

    public override void Fill(Activations activations, ReadOnlySpan<float> values)
    {
        if (values.Length > 0) ((DeviceRows)activations).Values.SubView(0, values.Length).CopyFromCPU(loader.Stream, values);
    }

    public override void Dispose()
    {
        if (disposed) return;
        disposed = true;
        accelerator.Synchronize();
        foreach (DeviceBatch state in batches) state.Dispose();
        partialValues?.Dispose();
        partialMaxSum?.Dispose();
        scratch.Dispose();
        unpacked?.Dispose();
    }

    private static DeviceBatch State(StepBatch batch) => (DeviceBatch)(batch.DeviceState ?? throw new InvalidOperationException("the batch was not uploaded"));

    /// <summary>A grid of elementwise groups, with <paramref name="rows"/> rows of them.</summary>
    private Index3D Groups(long elements, int rows = 1) => new(checked((int)((elements + table.ElementThreads - 1) / table.ElementThreads)), rows, 1);
}
