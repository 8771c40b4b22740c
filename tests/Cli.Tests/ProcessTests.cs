using System.Diagnostics;
using System.Text.Json;

namespace Inference.Cli.Tests;

/// <summary>What only a process of its own shows: signals, broken pipes, the real standard streams.</summary>
public class ProcessTests
{
    private const string NoSignals = "signals are sent with kill, which this system does not have";

    private static readonly string[] Generate = ["generate", "--device", "cpu"];

    // One answer after another, so many that no machine finishes them before the signal.
    private static readonly string[] Answer = ["--prompt", "In the beginning", "--ignore-eos", "--max-tokens", "490"], Endless = [.. Answer, "--n", "1000", "--max-sequences", "1"];

    private static Process Start(params string[] args)
    {
        (string file, string[] arguments) = HostProcess.Command(args);
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    private static void Signal(Process process, string name)
    {
        using var kill = Process.Start("kill", ["-" + name, $"{process.Id}"]);
        kill.WaitForExit();
        Assert.Equal(0, kill.ExitCode);
    }

    [Theory]
    [InlineData("INT", 130)]
    [InlineData("TERM", 143)]
    public async Task A_signal_stops_with_what_was_made(string signal, int code)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), NoSignals);
        using Process process = Start([.. Generate, .. Endless]);
        var beginning = new char[8];
        await process.StandardOutput.ReadBlockAsync(beginning);
        Signal(process, signal);
        string rest = await process.StandardOutput.ReadToEndAsync(), error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal((code, ""), (process.ExitCode, error));
        string answer = await CliRun.Generate(Answer), made = new string(beginning) + rest;
        Assert.StartsWith(made, string.Join('\n', Enumerable.Repeat(answer, 1000)));
        Assert.True(made.Length < 1000 * answer.Length);
    }

    [Fact]
    public async Task A_profile_hears_of_the_steps_of_a_fresh_process()
    {
        // The engine's instruments are made while the profiler already listens.
        using Process process = Start("bench", "run", "--profile", "--device", "cpu", "--pp", "8", "--tg", "0", "--repetitions", "1");
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal((0, ""), (process.ExitCode, await error));
        Assert.Contains("pp8, batch 1, depth 0: 1 steps of 8 rows", output);
    }

    [Fact]
    public async Task Json_of_an_interrupted_generation_says_cancelled()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), NoSignals);
        using Process process = Start([.. Generate, .. Endless, "--json", "--verbose"]);
        // The log says when the engine is loaded.
        while (await process.StandardError.ReadLineAsync() is { } line && !line.Contains("Loaded", StringComparison.Ordinal)) { }
        await Task.Delay(200);
        Signal(process, "INT");
        Task<string> log = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await log;
        await process.WaitForExitAsync();
        Assert.Equal(130, process.ExitCode);
        JsonElement[] completions = [.. JsonSerializer.Deserialize<JsonElement>(output).GetProperty("completions").EnumerateArray()];
        Assert.Equal(1000, completions.Length);
        Assert.Equal("cancelled", completions[^1].GetProperty("finish_reason").GetString());
        // Those that ended before the signal, the one that was running, those that never began.
        string?[] reasons = [.. completions.Select(c => c.GetProperty("finish_reason").GetString())];
        Assert.Equal([.. reasons.TakeWhile(r => r == "length"), .. reasons.SkipWhile(r => r == "length").Select(_ => "cancelled")], reasons);
        Assert.All(completions, c => Assert.InRange(c.GetProperty("token_ids").GetArrayLength(), 0, 490));
    }

    [Fact]
    public async Task A_reader_that_leaves_ends_the_program_quietly()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "write(2) reports broken pipes, and Windows has none");
        using Process process = Start([.. Generate, .. Endless]);
        var beginning = new char[8];
        await process.StandardOutput.ReadBlockAsync(beginning);
        process.StandardOutput.Close();
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal((0, ""), (process.ExitCode, error));
    }

    [Fact]
    public async Task Text_outside_ASCII_passes_the_real_streams_as_UTF8()
    {
        using Process process = Start("generate", "--device", "cpu", "--prompt", "é → 漢字", "--max-tokens", "4", "--json", "--prompt-logprobs", "0");
        string output = await process.StandardOutput.ReadToEndAsync(), error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal((0, ""), (process.ExitCode, error));
        Assert.Equal('{', output[0]);
        JsonElement inProcess = await CliRun.GenerateJson("--prompt", "é → 漢字", "--max-tokens", "4");
        Assert.Equal(CliRun.Ints(inProcess.GetProperty("prompts")[0].GetProperty("prompt_token_ids")), CliRun.Ints(JsonSerializer.Deserialize<JsonElement>(output).GetProperty("prompts")[0].GetProperty("prompt_token_ids")));
    }

    [Fact]
    public async Task Errors_come_with_their_code()
    {
        using Process process = Start("generate", "--foo");
        string error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(2, process.ExitCode);
        Assert.StartsWith("error: unknown option '--foo'", error);
    }
}
