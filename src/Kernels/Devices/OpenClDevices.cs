using System.Reflection;
using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Runtime.OpenCL;

namespace Inference.Kernels;

/// <summary>OpenCL devices through the system's OpenCL library.</summary>
internal static class OpenClDevices
{
    private const string NoGenericAddressSpace = "limited: no generic address space (OpenCL 2.0)";

    private const CLDeviceInfoType HostUnifiedMemory = (CLDeviceInfoType)0x1035; // not in the enumeration

    private static readonly PropertyInfo GenericAddressSpace = typeof(CLCapabilityContext).GetProperty("GenericAddressSpace")
        ?? throw new MissingMemberException(nameof(CLCapabilityContext), "GenericAddressSpace");

    /// <summary>Every OpenCL device, or one line that says why there is none.</summary>
    public static IReadOnlyList<DeviceInfo> List()
    {
        if (NativeLibraries.OpenClProblem is { } problem) return [new("opencl", "", 0, null, DeviceStatus.Unusable, problem)];
        CLDevice[] devices = Find();
        if (devices.Length == 0) return [new("opencl", "", 0, null, DeviceStatus.Unusable, "the OpenCL library finds no driver with a device")];
        return [.. devices.Select((d, i) => new DeviceInfo($"opencl:{i}", $"{d.Name.Trim()} ({d.PlatformName.Trim()}, {d.CVersion})", d.MemorySize, null,
            d.Capabilities.GenericAddressSpace ? DeviceStatus.Usable : DeviceStatus.Limited, d.Capabilities.GenericAddressSpace ? null : NoGenericAddressSpace))];
    }

    /// <summary>
    /// Whether <c>auto</c> may take device <paramref name="index"/>: a GPU with its own memory that needs no allowance. One that shares the
    /// processor's memory has no bandwidth to gain.
    /// </summary>
    public static bool IsDiscreteGpu(int index) => Find()[index] is { DeviceType: CLDeviceType.CL_DEVICE_TYPE_GPU } device && device.Capabilities.GenericAddressSpace
        && device.GetDeviceInfo<int>(HostUnifiedMemory) == 0;

    /// <summary>Opens device <paramref name="index"/> of <see cref="List"/>, after a probe kernel has given the right answer.</summary>
    /// <exception cref="DeviceUnavailableException">The probe kernel does not compile, or answers wrongly.</exception>
    public static Device Open(int index)
    {
        Context context = Context.Create(b => b.OpenCL(_ => true).EnableAlgorithms().Optimize(OptimizationLevel.O2));
        try
        {
            CLDevice device = context.GetCLDevice(index);
            bool limited = !device.Capabilities.GenericAddressSpace;
            // ILGPU refuses such devices, although no kernel of ours uses generic pointers; the probe tells.
            if (limited) GenericAddressSpace.SetValue(device.Capabilities, true);
            CLAccelerator accelerator = device.CreateCLAccelerator(context);
            string name = $"opencl:{index}";
            bool host = device.DeviceType.HasFlag(CLDeviceType.CL_DEVICE_TYPE_CPU);
            var kernels = new IlgpuKernels(name, new OpenClLoader(accelerator), host ? KernelTable.Create<OpenClIsa, HostGroups>() : KernelTable.Create<OpenClIsa, OpenClGpuGroups>());
            DeviceProbe.Run(name, kernels);
            return new Device(name, device.Name.Trim(), kernels, limited ? [$"{NoGenericAddressSpace}; a probe kernel gave the right answer"] : [], accelerator, context);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    private static CLDevice[] Find() => [.. CLDevice.GetDevices(_ => true).OfType<CLDevice>()];
}
