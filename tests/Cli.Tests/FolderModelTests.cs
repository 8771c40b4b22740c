using System.Text.Json;
using Inference.Tests.Shared;

namespace Inference.Cli.Tests;

/// <summary>Every command that takes a model takes a Hugging Face folder.</summary>
public class FolderModelTests
{
    private static string Folder => SharedData.Require("models", "kjv-5m", "hf");

    [Fact]
    public async Task Generate_gives_the_text_of_the_GGUF_file()
    {
        string[] options = ["--prompt", "And it came to pass", "--max-tokens", "24"];
        string expected = await CliRun.Generate(options);
        Assert.Equal(expected, await CliRun.Generate([Folder, .. options]));
        Assert.Equal(expected, await CliRun.Generate([Path.Combine(Folder, "model.safetensors"), .. options]));
        Assert.Equal(expected, await CliRun.Generate([Folder, "--no-pack", .. options]));
    }

    [Fact]
    public async Task Inspect_shows_configuration_tensors_and_that_it_runs()
    {
        CliRun run = await CliRun.Of("inspect", Folder, "--json", "--tensors");
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        var json = JsonSerializer.Deserialize<JsonElement>(run.Output);
        Assert.Equal(("safetensors", "llama", 5_770_496, true), (json.GetProperty("format").GetString(), json.GetProperty("architecture").GetString(), json.GetProperty("parameters").GetInt64(), json.GetProperty("supported").GetBoolean()));
        Assert.Equal("256", json.GetProperty("metadata").GetProperty("hidden_size").GetString());
        Assert.Equal(new FileInfo(Path.Combine(Folder, "model.safetensors")).Length, json.GetProperty("file_bytes").GetInt64());
    }

    [Fact]
    public async Task Tokenize_check_and_bench_take_it()
    {
        CliRun tokens = await CliRun.Of("tokenize", Folder, "In the beginning"), expected = await CliRun.Of("tokenize", SharedData.Require("models", "kjv-5m", "kjv-5m-f16.gguf"), "In the beginning");
        Assert.Equal(new CliRun(ExitCode.Done, expected.Output, ""), tokens);
        CliRun check = await CliRun.Of("check", Folder, "--device", "cpu");
        Assert.Equal(ExitCode.Done, check.Code);
        Assert.Contains("tokens agree", check.Output);
        CliRun bench = await CliRun.Of("bench", "run", Folder, "--device", "cpu", "--pp", "16", "--tg", "4", "--repetitions", "1");
        Assert.True(bench.Code == ExitCode.Done, bench.Error);
        await CliRun.Fails(ExitCode.Failed, "the model has no chat template", "chat", Folder, "--device", "cpu");
    }
}
