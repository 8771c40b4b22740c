using System.Diagnostics;
using Inference.Tests.Shared;

namespace Inference.Cli.Tests;

/// <summary>The program itself: its variables, its signals, and two of it at once.</summary>
public sealed class PullProcessTests : PullFixture
{
    private const int Size = 3_000_000;

    private Process Start(params string[] args)
    {
        (string file, string[] arguments) = HostProcess.Command(args);
        return StartProgram(file, arguments);
    }

    private Process StartProgram(string program, string[] args)
    {
        var start = new ProcessStartInfo(program, args) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["HF_ENDPOINT"] = Hub.Server.Address.AbsoluteUri;
        start.Environment["HF_HUB_CACHE"] = Cache;
        start.Environment["HF_TOKEN"] = "hf_x";
        return Process.Start(start)!;
    }

    private static async Task<CliRun> EndOf(Process process)
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new CliRun(process.ExitCode, await output, await error);
    }

    [Fact]
    public async Task Two_processes_after_one_file_download_it_once()
    {
        byte[] content = Hub.Add("model.gguf", Size);
        var bothAreHere = new TaskCompletionSource();
        int lists = 0;
        Hub.OnHub = request =>
        {
            if (request.Path.Contains("/revision/") && Interlocked.Increment(ref lists) == 2) bothAreHere.SetResult();
            return null;
        };
        // The first one is kept in the middle until the second one has come.
        Hub.OnStorage = request => FakeHub.Content(request, content) with { DropAfter = request.From == 0 ? Size / 2 : null, Stall = bothAreHere.Task };
        using Process first = Start("pull", "org/model"), second = Start("pull", "org/model");
        CliRun[] runs = await Task.WhenAll(EndOf(first), EndOf(second));
        Assert.All(runs, run => Assert.Equal((0, "", Path.Combine(Snapshot, "model.gguf") + "\n"), (run.Code, run.Error, run.Output)));
        Assert.Equal(content, File.ReadAllBytes(Path.Combine(Snapshot, "model.gguf")));
        Assert.Equal([0, Size / 2], Hub.Downloads.Select(r => r.From));
        Assert.All(Hub.Server.Requests, r => Assert.Equal("Bearer hf_x", r.Headers["Authorization"]));
    }

    [Fact]
    public async Task An_interrupted_process_leaves_what_the_next_one_goes_on_with()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "signals are sent with kill, which this system does not have");
        byte[] content = Hub.Add("model.gguf", Size);
        var end = new TaskCompletionSource();
        Hub.OnStorage = request => FakeHub.Content(request, content) with { DropAfter = 1_000_000, Stall = end.Task };
        using Process process = Start("pull", "org/model");
        string incomplete = Path.Combine(RepositoryFolder, "blobs", FakeHub.Sha256(content) + ".incomplete");
        while (!process.HasExited && (!File.Exists(incomplete) || new FileInfo(incomplete).Length < 1_000_000)) await Task.Delay(50);
        using (var kill = Process.Start("kill", ["-INT", $"{process.Id}"])) await kill.WaitForExitAsync();
        CliRun run = await EndOf(process);
        end.SetResult();
        Assert.Equal((130, "", ""), (run.Code, run.Output, run.Error));
        Assert.Empty(Named());
        Hub.OnStorage = null;
        using Process next = Start("pull", "org/model:model.gguf", "--quiet");
        Assert.Equal((0, ""), (await EndOf(next)) is var done ? (done.Code, done.Error) : default);
        Assert.Equal(content, File.ReadAllBytes(Path.Combine(Snapshot, "model.gguf")));
        Assert.Equal([0, 1_000_000], Hub.Downloads.Select(r => r.From));
    }

    [Fact]
    public async Task A_disk_that_takes_no_more_is_one_line_and_keeps_what_it_took()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the limit is set with ulimit, which this system does not have");
        const int kilobytes = 1500;
        byte[] content = Hub.Add("model.gguf", Size);
        // bash counts in 1,024 bytes. The runtime's own memory mappings count as files too, unless told otherwise.
        using Process process = StartProgram("bash", ["-c", $"trap '' XFSZ; ulimit -f {kilobytes}; DOTNET_EnableWriteXorExecute=0 exec \"$0\" \"$@\"", HostProcess.Host, .. HostProcess.Program, "pull", "org/model"]);
        CliRun run = await EndOf(process);
        Assert.Equal((1, ""), (run.Code, run.Output));
        Assert.StartsWith("error: ", run.Error);
        Assert.Contains(FakeHub.Sha256(content) + ".incomplete", run.Error);
        Assert.Equal(run.Error.Length - 1, run.Error.IndexOf('\n'));
        Assert.Empty(Named());
        Assert.Equal(kilobytes * 1024, new FileInfo(Incomplete().Single()).Length);
        await PullsAsync(content);
        Assert.Equal([0, kilobytes * 1024], Hub.Downloads.Select(r => r.From));
    }

    [Fact]
    public async Task A_pulled_model_runs()
    {
        byte[] content = Hub.Add("kjv-5m-f16.gguf", File.ReadAllBytes(Path.Combine(SharedData.Root, "tools", "SampleModel", "kjv-5m-f16.gguf")));
        string path = await PullsAsync(content);
        string[] prompt = ["--prompt", "In the beginning", "--max-tokens", "8"];
        Assert.Equal(await CliRun.Generate(prompt), await CliRun.Generate([path, .. prompt]));
        Assert.Contains("runs here     yes", (await CliRun.Of("inspect", path)).Output);
    }

    [Fact]
    public async Task A_failure_is_one_line_and_code_1()
    {
        using Process process = Start("pull", "org/nothing");
        CliRun run = await EndOf(process);
        Assert.Equal((1, ""), (run.Code, run.Output));
        Assert.StartsWith("error: org/nothing: not found at 127.0.0.1", run.Error);
        Assert.Equal(run.Error.Length - 1, run.Error.IndexOf('\n'));
    }
}
