using System.Text.Json;

namespace Inference.Compare;

/// <summary>Both engines on the same file: each call is one process.</summary>
/// <param name="ours">Our executable.</param>
/// <param name="peer">The script that runs llama.cpp.</param>
internal sealed class MatrixEngines(string ours, string peer)
{
    public string OurExecutable => ours;

    public string Peer => peer;

    /// <summary>Tokens a second of each size of the group.</summary>
    public double[] Ours(string model, TestGroup group, int threads, string kv)
    {
        string[] arguments = ["bench", "run", model, "--device", "cpu", "--threads", $"{threads}", "--kv-type", kv, "--repetitions", "1", "--format", "json", .. group.OurOptions()];
        using JsonDocument output = JsonDocument.Parse(Programs.Run(ours, arguments));
        return group.OurRates(output.RootElement);
    }

    /// <summary>The same by a build of llama.cpp, and how much of the time other processes had.</summary>
    public (double[] Rates, double[] Stolen) Theirs(string model, TestGroup group, int threads, string kv, string library) =>
        PeerBench(model, library, threads, kv, group.PeerOptions(), output => (group.PeerRates(output), group.PeerStolen(output)));

    /// <summary>Milliseconds until a model is loaded and can be asked, by its own clock.</summary>
    public double OurLoad(string model, int threads, string kv)
    {
        string[] arguments = ["generate", model, "--prompt", "In", "--max-tokens", "1", "--ignore-eos", "--device", "cpu", "--threads", $"{threads}", "--kv-type", kv, "--json"];
        using JsonDocument output = JsonDocument.Parse(Programs.Run(ours, arguments));
        return output.RootElement.GetProperty("timings").GetProperty("load_ms").GetDouble();
    }

    /// <inheritdoc cref="OurLoad"/>
    public double TheirLoad(string model, int threads, string kv, string library) =>
        PeerBench(model, library, threads, kv, ["--pp", "0", "--tg", "1"], output => output.GetProperty("load_ms").GetDouble() + output.GetProperty("ctx_ms").GetDouble());

    private T PeerBench<T>(string model, string library, int threads, string kv, string[] options, Func<JsonElement, T> read)
    {
        string path = Path.GetTempFileName();
        try
        {
            Programs.Run(peer, ["bench", model, "--lib", library, "--threads", $"{threads}", "--kv", kv, "--reps", "1", "--json", path, .. options]);
            using JsonDocument output = JsonDocument.Parse(File.ReadAllText(path));
            return read(output.RootElement);
        }
        finally
        {
            File.Delete(path);
        }
    }

    public static string CpuName() =>
        File.Exists("/proc/cpuinfo") && File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) is { } line ? line[(line.IndexOf(':') + 1)..].Trim() : "unknown";

    /// <summary>The commit that is measured, if the tree is one.</summary>
    public static string Revision()
    {
        try
        {
            return Programs.Run("git", "describe", "--always", "--dirty").Trim();
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return "unknown";
        }
    }
}
