using System.Globalization;

namespace Inference.Kernels;

/// <summary>How many cores the process may use.</summary>
internal static class ProcessorTopology
{
    /// <summary>
    /// Threads of device <c>cpu</c> unless told otherwise: one for each core. Two hardware threads of a core share its vector units and its way to memory, so a second one gains nothing and
    /// makes every join wait for the slower. What limits the process (affinity, a container's quota) limits <see cref="Environment.ProcessorCount"/> too.
    /// </summary>
    public static int Cores { get; } = Math.Min(Environment.ProcessorCount, OperatingSystem.IsLinux() ? CountCores("/sys/devices/system/cpu") ?? int.MaxValue : int.MaxValue);

    /// <summary>Cores that Linux lists, whose hardware threads name each other as siblings; null where it lists none.</summary>
    /// <param name="folder">Folder of cpu0, cpu1, …</param>
    internal static int? CountCores(string folder)
    {
        try
        {
            var cores = new HashSet<string>();
            foreach (string cpu in Directory.EnumerateDirectories(folder, "cpu*"))
                if (int.TryParse(Path.GetFileName(cpu.AsSpan())["cpu".Length..], NumberStyles.None, CultureInfo.InvariantCulture, out _) && File.Exists(Path.Combine(cpu, "topology/thread_siblings_list")))
                    cores.Add(File.ReadAllText(Path.Combine(cpu, "topology/thread_siblings_list")));
            return cores.Count > 0 ? cores.Count : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
