namespace Inference.Cli.Tests;

/// <summary>A hub, an empty cache and no patience: a test's surroundings.</summary>
public abstract class PullFixture : IAsyncDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("pull-");
    private readonly List<TimeSpan> delays = [];

    internal FakeHub Hub { get; } = new();

    internal string Cache => Path.Combine(folder.FullName, "hub");

    internal string Temporary => folder.FullName;

    private protected string RepositoryFolder => Path.Combine(Cache, "models--org--model");

    private protected string Snapshot => Path.Combine(RepositoryFolder, "snapshots", FakeHub.Commit);

    /// <summary>The waits that a pull asked for.</summary>
    private protected IReadOnlyList<TimeSpan> Delays => delays;

    private protected HubSettings Settings => new()
    {
        Endpoint = Hub.Server.Address,
        CacheFolder = Cache,
        Delay = (wait, _) =>
        {
            delays.Add(wait);
            return Task.CompletedTask;
        },
    };

    private protected Task<CliRun> PullAsync(string text = FakeHub.Repository, HubSettings? settings = null, string? revision = null, CancellationToken cancellation = default) =>
        RunAsync(console => new PullRun(console, settings ?? Settings).RunAsync(PullRequest.Parse(text, revision)), cancellation);

    /// <summary>As the command line does it.</summary>
    private static async Task<CliRun> RunAsync(Func<CliConsole, Task<int>> run, CancellationToken cancellation)
    {
        using StringWriter output = new(), error = new();
        using var console = new CliConsole(TextReader.Null, output, error, cancellation);
        int code;
        try
        {
            code = await run(console);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            code = ExitCode.Cancelled;
        }
        catch (Exception e)
        {
            (code, string line) = ErrorLine.Of(e);
            console.WriteError(line);
        }
        return new CliRun(code, output.ToString(), error.ToString());
    }

    /// <summary>The pull works, says nothing else, and the printed path holds the content.</summary>
    private protected async Task<string> PullsAsync(byte[] content, string text = FakeHub.Repository, HubSettings? settings = null)
    {
        CliRun run = await PullAsync(text, settings);
        Assert.Equal("", run.Error);
        Assert.Equal(ExitCode.Done, run.Code);
        string path = run.Output.TrimEnd('\n');
        Assert.True(content.AsSpan().SequenceEqual(File.ReadAllBytes(path)), "the content differs");
        Assert.Empty(Incomplete());
        return path;
    }

    /// <summary>The pull fails with one line, and nothing has a final name.</summary>
    private protected async Task<string> FailsAsync(string message, string text = FakeHub.Repository, int code = ExitCode.Failed, HubSettings? settings = null, string? revision = null)
    {
        CliRun run = await PullAsync(text, settings, revision);
        Assert.StartsWith("error: ", run.Error);
        Assert.Contains(message, run.Error);
        Assert.Equal(run.Error.Length - 1, run.Error.IndexOf('\n'));
        Assert.Equal((code, ""), (run.Code, run.Output));
        Assert.Empty(Named());
        return run.Error;
    }

    /// <summary>Files in blobs and snapshots that claim to be complete.</summary>
    private protected string[] Named() => [.. All().Where(f => !f.EndsWith(".incomplete", StringComparison.Ordinal))];

    private protected string[] Incomplete() => [.. All().Where(f => f.EndsWith(".incomplete", StringComparison.Ordinal))];

    private IEnumerable<string> All() => new[] { "blobs", "snapshots", "refs" }.Select(part => Path.Combine(RepositoryFolder, part))
        .Where(Directory.Exists).SelectMany(part => Directory.EnumerateFiles(part, "*", SearchOption.AllDirectories));

    /// <summary>What an earlier run has left of a content.</summary>
    private protected string LeaveIncomplete(byte[] content, ReadOnlySpan<byte> left)
    {
        string blobs = Directory.CreateDirectory(Path.Combine(RepositoryFolder, "blobs")).FullName, path = Path.Combine(blobs, FakeHub.Sha256(content) + ".incomplete");
        File.WriteAllBytes(path, left);
        return path;
    }

    public async ValueTask DisposeAsync()
    {
        await Hub.DisposeAsync();
        folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }
}
