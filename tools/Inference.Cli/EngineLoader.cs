namespace Inference.Cli;

/// <summary>Loads an engine for a command: warnings to standard error, and a progress bar where a person waits.</summary>
internal static class EngineLoader
{
    /// <summary>Loads that are done by then show no bar; a bar that flashes up tells nobody anything.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(400);

    private sealed class Latest : IProgress<LoadProgress>
    {
        private double fraction;

        public double Fraction => Volatile.Read(ref fraction);

        public void Report(LoadProgress value) => Volatile.Write(ref fraction, value.BytesTotal == 0 ? 0 : (double)value.BytesDone / value.BytesTotal);
    }

    /// <param name="console">Where warnings and progress go.</param>
    /// <param name="source">Which model.</param>
    /// <param name="options">How to set it up.</param>
    /// <param name="describe">Whether a person hears of device and KV pool.</param>
    public static async Task<InferenceEngine> LoadAsync(CliConsole console, ModelSource source, EngineOptions options, bool describe = true)
    {
        var progress = new Latest();
        Task<InferenceEngine> loading = InferenceEngine.LoadAsync(source, options, progress, console.Cancellation);
        if (console.ErrorIsTerminal && await Task.WhenAny(loading, Task.Delay(Patience)).ConfigureAwait(false) != loading)
            await TerminalProgress.ShowAsync("Loading", () => progress.Fraction, loading).ConfigureAwait(false);
        InferenceEngine engine = await loading.ConfigureAwait(false);
        foreach (string warning in engine.Warnings) console.WriteWarning(warning);
        EngineStatistics statistics = engine.GetStatistics();
        if (describe) console.WriteNote($"[{engine.ModelName} on {statistics.Device}, {statistics.KvBlocksTotal} KV blocks of {options.BlockSize} tokens]");
        return engine;
    }
}
