using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Runtime.Cuda;

namespace Inference.Kernels;

/// <summary>NVIDIA GPUs through libcuda.</summary>
internal static class CudaDevices
{
    /// <summary>Every CUDA device, or one line that says why there is none.</summary>
    public static IReadOnlyList<DeviceInfo> List()
    {
        if (NativeLibraries.CudaProblem is { } problem) return [new("cuda", "", 0, null, DeviceStatus.Unusable, problem)];
        CudaDevice[] devices = Find();
        if (devices.Length == 0) return [new("cuda", "", 0, null, DeviceStatus.Unusable, "the NVIDIA driver reports no device")];
        return [.. devices.Select((d, i) => new DeviceInfo($"cuda:{i}", $"{d.Name}, compute capability {d.Architecture}", d.MemorySize, null, Problem(d) is null ? DeviceStatus.Usable : DeviceStatus.Unusable, Problem(d)))];
    }

    /// <summary>Opens device <paramref name="index"/> of <see cref="List"/>.</summary>
    public static Device Open(int index)
    {
        Context context = Context.Create(b => b.Cuda().EnableAlgorithms().Optimize(OptimizationLevel.O2));
        try
        {
            CudaAccelerator accelerator = context.GetCudaDevice(index).CreateCudaAccelerator(context);
            string name = $"cuda:{index}";
            return new Device(name, accelerator.Name, new IlgpuKernels(name, new CudaLoader(accelerator), KernelTable.Create<CudaIsa, GpuGroups>()), [], accelerator, context);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    private static CudaDevice[] Find() => [.. CudaDevice.GetDevices(_ => true).OfType<CudaDevice>()];

    /// <summary>Packed dot products (dp4a) came with compute capability 6.1.</summary>
    private static string? Problem(CudaDevice device) =>
        device.Architecture is { } a && a < CudaArchitecture.SM_61 ? $"compute capability {a}: 6.1 or later is needed" : null;
}
