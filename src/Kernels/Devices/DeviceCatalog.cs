using System.Runtime.CompilerServices;
using ILGPU.Runtime;

namespace Inference.Kernels;

/// <summary>What devices there are, and opening one by name. Nothing here falls back silently: what was asked for is opened, or the reason is thrown.</summary>
internal static class DeviceCatalog
{
    private const string AheadOfTime = "this program was compiled ahead of time, and kernels for such a device are compiled when it runs: use the ordinary build";

    /// <summary>Every device, with the reason for each that is limited or unusable. Missing native libraries are reasons, not errors.</summary>
    public static IReadOnlyList<DeviceInfo> List() => RuntimeFeature.IsDynamicCodeSupported ? ListAll()
        : [HostDevice.Info(), .. new[] { "cuda", "opencl", SimulatorDevice.Name }.Select(name => new DeviceInfo(name, "", 0, null, DeviceStatus.Unusable, AheadOfTime))];

    private static DeviceInfo[] ListAll() => [HostDevice.Info(), .. CudaDevices.List(), .. OpenClDevices.List(), SimulatorDevice.Info()];

    /// <summary>Opens the device that the options name; under <c>auto</c> <see cref="Device.Name"/> tells the choice.</summary>
    /// <exception cref="DeviceUnavailableException">It cannot be used; the message says what was asked, why not, and what there is.</exception>
    public static Device Open(DeviceOptions options)
    {
        DeviceName name = DeviceName.Parse(options.Name);
        if (name.Kind == DeviceKind.Cpu) return HostDevice.Open(options);
        // A condition that compilers ahead of time know: they leave ILGPU out.
        if (!RuntimeFeature.IsDynamicCodeSupported) return name.Kind == DeviceKind.Auto ? HostDevice.Open(options) : throw Unavailable(options.Name, AheadOfTime);
        return name.Kind switch
        {
            DeviceKind.IlgpuCpu => Guard(options.Name, SimulatorDevice.Open),
            DeviceKind.Cuda => OpenIndexed(options.Name, name.Index, CudaDevices.List(), CudaDevices.Open),
            DeviceKind.OpenCl => OpenIndexed(options.Name, name.Index, OpenClDevices.List(), OpenClDevices.Open),
            _ => OpenAuto(options),
        };
    }

    /// <summary>The first CUDA device, else the first OpenCL GPU with its own memory, else the processor. A GPU that is there and does not open is an error, not a reason to go on.</summary>
    private static Device OpenAuto(DeviceOptions options)
    {
        if (CudaDevices.List() is var cuda && cuda.Any(d => d.Status == DeviceStatus.Usable)) return OpenIndexed(options.Name, null, cuda, CudaDevices.Open);
        IReadOnlyList<DeviceInfo> opencl = OpenClDevices.List();
        for (int i = 0; i < opencl.Count; i++)
            if (opencl[i].Status == DeviceStatus.Usable && OpenClDevices.IsDiscreteGpu(i)) return OpenIndexed(options.Name, i, opencl, OpenClDevices.Open);
        return HostDevice.Open(options);
    }

    private static Device OpenIndexed(string asked, int? index, IReadOnlyList<DeviceInfo> devices, Func<int, Device> open)
    {
        if (!devices[0].Name.Contains(':', StringComparison.Ordinal)) throw Unavailable(asked, devices[0].Reason!); // the one line of a kind that has no device
        int chosen = index ?? 0;
        while (index is null && chosen < devices.Count - 1 && devices[chosen].Status == DeviceStatus.Unusable) chosen++;
        if (chosen >= devices.Count) throw Unavailable(asked, $"there {(devices.Count == 1 ? "is one such device" : $"are {devices.Count} such devices")}, counted from 0");
        if (devices[chosen].Status == DeviceStatus.Unusable) throw Unavailable(asked, devices[chosen].Reason!);
        return Guard(asked, () => open(chosen));
    }

    /// <summary>Turns what a driver throws into the one exception of this catalog.</summary>
    private static Device Guard(string asked, Func<Device> open)
    {
        try
        {
            return open();
        }
        catch (Exception e) when (e is AcceleratorException or NotSupportedException)
        {
            throw new DeviceUnavailableException(Unavailable(asked, e.Message).Message, e);
        }
    }

    private static DeviceUnavailableException Unavailable(string asked, string reason)
    {
        string there = string.Join(", ", List().Where(d => d.Status != DeviceStatus.Unusable).Select(d => d.Name));
        return new($"device '{asked}' was asked for, but {reason}; devices here: {there}");
    }
}
