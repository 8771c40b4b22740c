namespace Inference.Kernels;

/// <summary>A device in use: its kernel set, and what the user should know about it.</summary>
internal sealed class Device(string name, KernelSet kernels, IReadOnlyList<string> warnings) : IDisposable
{
    public string Name { get; } = name;
    public KernelSet Kernels { get; } = kernels;
    public IReadOnlyList<string> Warnings { get; } = warnings;
    public void Dispose() => Kernels.Dispose();
}

internal sealed record DeviceOptions
{
    public string Name { get; init; } = "auto";
    public string? Simd { get; init; }
    public int Threads { get; init; }
    public bool Pack { get; init; } = true;
}

internal static class DeviceCatalog
{
    public static Device Open(DeviceOptions options) =>
        new("cpu", new SimdKernels(options.Simd is null ? SimdLevels.Best : Enum.Parse<SimdLevel>(options.Simd, true), options.Threads == 0 ? Environment.ProcessorCount : options.Threads), []);
}

/// <summary>The device that was asked for cannot be used.</summary>
public sealed class DeviceUnavailableException(string message) : Exception(message);
