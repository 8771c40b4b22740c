using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Runtime.CPU;

namespace Inference.Kernels;

/// <summary>ILGPU's CPU accelerator: runs the kernels of the GPUs, thread by thread, on the processor. Slow; for testing kernels.</summary>
internal static class SimulatorDevice
{
    public const string Name = "ilgpu-cpu";
    private const string Hardware = "ILGPU's CPU accelerator, a simulator";

    public static DeviceInfo Info() => new(Name, Hardware, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, null, DeviceStatus.Usable, null);

    /// <summary>Opens it with the threads of one group to a multiprocessor, and a multiprocessor to a processor.</summary>
    public static Device Open() => Open<SimulatorGroups>(4);

    /// <summary>Opens it with another choice of groups, whose largest has <paramref name="threads"/> threads.</summary>
    public static Device Open<TGroups>(int threads) where TGroups : struct, IGroups
    {
        Context context = Context.Create(b => b.CPU(new CPUDevice(threads, 1, Environment.ProcessorCount)).EnableAlgorithms().Optimize(OptimizationLevel.O2));
        CPUAccelerator accelerator = context.GetCPUDevice(0).CreateCPUAccelerator(context);
        return new Device(Name, Hardware, new IlgpuKernels(Name, new KernelLoader(accelerator), KernelTable.Create<Portable, TGroups>()), [], accelerator, context);
    }
}
