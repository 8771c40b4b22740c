namespace Inference.Tests.Shared;

/// <summary>Counts of conformance cases that ran, one file per test under <c>artifacts/conformance</c>; <c>.ci/run</c> prints them.</summary>
internal static class ConformanceLog
{
    /// <summary>Writes one line.</summary>
    public static void Write(string name, string line)
    {
        string folder = Path.Combine(SharedData.Root, "artifacts", "conformance");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, name + ".txt"), name + ": " + line + "\n");
    }
}
