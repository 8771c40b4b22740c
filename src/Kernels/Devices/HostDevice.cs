using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>The processor with vector instructions: needs no ILGPU, and makes no ILGPU context.</summary>
internal static class HostDevice
{
    public const string Name = "cpu";

    public static DeviceInfo Info() => new(Name, Description(ProcessorTopology.Cores), GC.GetGCMemoryInfo().TotalAvailableMemoryBytes, SimdLevels.Best, DeviceStatus.Usable, null);

    /// <exception cref="DeviceUnavailableException">The instruction set is unknown, or the processor lacks it.</exception>
    public static Device Open(DeviceOptions options)
    {
        SimdLevel level = SimdLevels.Best;
        if (options.Simd is { } text)
        {
            if (!Enum.TryParse(text, ignoreCase: true, out level) || !Enum.IsDefined(level))
                throw new DeviceUnavailableException($"instruction set '{text}': expected {string.Join(", ", Enum.GetNames<SimdLevel>()).ToLowerInvariant()}");
            if (!SimdLevels.IsSupported(level)) throw new DeviceUnavailableException($"instruction set '{text}' was asked for, but this processor lacks it; the best here is {SimdLevels.Best.ToString().ToLowerInvariant()}");
        }
        int threads = options.Threads > 0 ? options.Threads : ProcessorTopology.Cores;
        return new Device(Name, Description(threads), new SimdKernels(level, threads, options.Pack) { SharePrefixes = options.SharePrefixes }, []);
    }

    private static string Description(int threads) => $"{RuntimeInformation.ProcessArchitecture} processor, {threads} {(threads == 1 ? "thread" : "threads")}";
}
