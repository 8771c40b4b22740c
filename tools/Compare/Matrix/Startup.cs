using System.Globalization;

namespace Inference.Compare;

/// <summary>What a cold process takes.</summary>
/// <param name="FirstTokenMilliseconds">From the process's start to its first token on standard output.</param>
/// <param name="LoadMilliseconds">Of it, loading the model.</param>
/// <param name="PeakMebibytes">Most memory that it held.</param>
internal sealed record StartupFigures(double FirstTokenMilliseconds, double LoadMilliseconds, double PeakMebibytes)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"first token {FirstTokenMilliseconds:F0} ms, load {LoadMilliseconds:F0} ms, peak {PeakMebibytes:F0} MiB");
}

/// <summary>Starts one process of each engine for one token. "Cold" is the process; the file is in the page cache for both.</summary>
internal sealed class Startup
{
    private readonly MatrixEngines engines;
    private readonly string model, library, kv;
    private readonly int threads;
    private readonly string[] peerCommand;

    public Startup(MatrixEngines engines, string model, string library, int threads, string kv)
    {
        (this.engines, this.model, this.library, this.threads, this.kv) = (engines, model, library, threads, kv);
        Programs.Run(engines.Peer, "info", "--lib", library);
        // Where the script builds it: the shell's own start is not llama.cpp's.
        string home = Environment.GetEnvironmentVariable("PEER_HOME") ?? Path.Combine(Environment.GetEnvironmentVariable("TMPDIR") ?? "/tmp", "inference-peer");
        string program = Path.Combine(home, "peer", "bin", "Release", "net10.0", "linux-x64", "peer.dll");
        peerCommand = File.Exists(program) ? ["dotnet", program] : [engines.Peer];
    }

    public StartupFigures Ours()
    {
        var run = ChildProcess.Run(engines.OurExecutable, "generate", model, "--prompt", "In", "--max-tokens", "1", "--ignore-eos", "--device", "cpu", "--threads", $"{threads}", "--kv-type", kv);
        return Figures(run, engines.OurLoad(model, threads, kv));
    }

    public StartupFigures Theirs()
    {
        var run = ChildProcess.Run(peerCommand[0], [.. peerCommand[1..], "greedy", model, "--tokens", "1", "--n", "1", "--lib", library, "--threads", $"{threads}", "--kv", kv]);
        return Figures(run, engines.TheirLoad(model, threads, kv, library));
    }

    private static StartupFigures Figures(ChildProcess run, double load) => new(run.FirstOutput.TotalMilliseconds, load, run.PeakBytes / 1048576.0);
}
