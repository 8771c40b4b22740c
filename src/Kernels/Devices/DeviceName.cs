using System.Globalization;

namespace Inference.Kernels;

/// <summary>Kinds of device names.</summary>
internal enum DeviceKind
{
    Auto,
    Cpu,
    Cuda,
    OpenCl,

    /// <summary>ILGPU's CPU accelerator, a simulator for testing kernels.</summary>
    IlgpuCpu,
}

/// <summary>A parsed device name.</summary>
/// <param name="Kind">What stands before the colon.</param>
/// <param name="Index">The number behind it, or null: the first that can be used.</param>
internal readonly record struct DeviceName(DeviceKind Kind, int? Index)
{
    /// <summary>Parses <c>auto</c>, <c>cpu</c>, <c>cuda[:n]</c>, <c>opencl[:n]</c>, <c>ilgpu-cpu</c>.</summary>
    /// <exception cref="DeviceUnavailableException">It is none of these.</exception>
    public static DeviceName Parse(string text)
    {
        int colon = text.IndexOf(':');
        DeviceKind? kind = (colon < 0 ? text : text[..colon]) switch
        {
            "auto" when colon < 0 => DeviceKind.Auto,
            "cpu" when colon < 0 => DeviceKind.Cpu,
            "ilgpu-cpu" when colon < 0 => DeviceKind.IlgpuCpu,
            "cuda" => DeviceKind.Cuda,
            "opencl" => DeviceKind.OpenCl,
            _ => null,
        };
        int index = 0;
        if (kind is null || colon >= 0 && !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out index))
            throw new DeviceUnavailableException($"device '{text}': expected auto, cpu, cuda[:n], opencl[:n] or ilgpu-cpu");
        return new(kind.Value, colon < 0 ? null : index);
    }
}
