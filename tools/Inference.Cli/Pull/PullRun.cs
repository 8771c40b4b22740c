using Inference.Models;

namespace Inference.Cli;

/// <summary>One pull, from the list of files to the printed path.</summary>
/// <param name="console">Path to its output, the rest to its error stream.</param>
/// <param name="settings">The hub and the cache.</param>
/// <param name="quiet">No bar and no notes.</param>
/// <param name="verbose">Lines instead of a bar.</param>
internal sealed class PullRun(CliConsole console, HubSettings settings, bool quiet = false, bool verbose = false)
{
    private readonly PullProgress progress = new(verbose ? console.Error.WriteLine : null);

    /// <summary>Prints the path of the model: a GGUF file, or the snapshot's folder.</summary>
    /// <exception cref="UsageException">The request names nothing, or several things.</exception>
    /// <exception cref="IOException">The hub, the network or the disk; one line.</exception>
    public async Task<int> RunAsync(PullRequest request)
    {
        Task<string> pulling = PullAsync(request);
        if (console.ErrorIsTerminal && !quiet && !verbose) await PullBar.ShowAsync(progress, pulling).ConfigureAwait(false);
        string path;
        try
        {
            path = await pulling.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (console.Cancellation.IsCancellationRequested)
        {
            if (!quiet) console.WriteNote("[stopped; what has come is kept, and the same command goes on from there]");
            throw;
        }
        console.Out.WriteLine(path);
        console.Out.Flush();
        if (!quiet) console.WriteNote(Hint(path));
        return ExitCode.Done;
    }

    private async Task<string> PullAsync(PullRequest request)
    {
        using var http = new HubHttp(settings);
        var client = new HubClient(settings, http);
        progress.Begin(request.Repository, 0, 0);
        HubListing listing = await client.ListAsync(request.Repository, request.Revision, progress.Report, console.Cancellation).ConfigureAwait(false);
        FileChoice choice = FileChoice.Of(request, listing);
        var cache = new HubCache(settings.CacheFolder, request.Repository, settings.SymbolicLinks);
        var downloader = new Downloader(settings, client, cache, request.Repository, listing.Commit, progress);
        await FetchAsync(choice.Files).ConfigureAwait(false);
        if (choice.Index is { } index) await FetchAsync(SafetensorsChoice.Shards(request, listing, cache.PathOf(listing.Commit, index))).ConfigureAwait(false);
        cache.WriteRef(request.Revision, listing.Commit);
        return choice.Path.Length == 0 ? cache.SnapshotPath(listing.Commit) : cache.PathOf(listing.Commit, choice.Files.First(f => f.Path == choice.Path));

        async Task FetchAsync(IReadOnlyList<HubFile> files)
        {
            progress.Expect(files);
            DiskSpace.Require(cache.Root, files.Sum(f => cache.Missing(listing.Commit, f)));
            foreach (HubFile file in files) await downloader.EnsureAsync(file, console.Cancellation).ConfigureAwait(false);
        }
    }

    private static string Hint(string path)
    {
        string quoted = path.Any(char.IsWhiteSpace) ? $"\"{path}\"" : path;
        return Refusal(path) is { } reason ? $"[downloaded to {quoted}, which this version does not run: {reason}]" : $"[run it with: inference generate {quoted} --prompt \"Once upon a time\"]";
    }

    /// <summary>Why what was downloaded does not load, as far as its headers tell; null when it does.</summary>
    private static string? Refusal(string path)
    {
        try
        {
            return Inspection.Of(path).Refusal is { } refusal ? ErrorLine.OneLine(refusal) : null;
        }
        catch (Exception e) when (e is ModelFormatException or IOException)
        {
            return ErrorLine.OneLine(e.Message);
        }
    }
}
