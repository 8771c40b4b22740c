using Inference.Tests.Shared;

namespace Inference.Cli.Tests;

/// <summary>Right command lines that cannot be carried out: exit code 1, one line.</summary>
public class FailureTests
{
    private static readonly string Sample = Path.Combine(SharedData.Root, "tools", "SampleModel", "kjv-5m-f16.gguf");

    [Theory]
    [InlineData("generate", "--prompt", "a")]
    [InlineData("inspect")]
    [InlineData("check")]
    [InlineData("bench", "run")]
    public Task A_missing_file(params string[] command) => CliRun.Fails(ExitCode.Failed, "nowhere.gguf: no such file", [.. command, "nowhere.gguf"]);

    [Fact]
    public async Task A_folder_without_a_model()
    {
        string folder = Directory.CreateTempSubdirectory("inference-empty").FullName;
        await CliRun.Fails(ExitCode.Failed, $"{folder}: config.json: expected the file, as every Hugging Face folder has it, found no such file", "generate", folder, "--prompt", "a");
        Directory.Delete(folder);
    }

    [Fact]
    public Task A_missing_prompt_file() => CliRun.Fails(ExitCode.Failed, "nowhere.txt: no such file", "generate", "--prompt-file", "nowhere.txt");

    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [InlineData(200_000)]
    public async Task A_truncated_file(int length)
    {
        using var file = TemporaryFile.With(File.ReadAllBytes(Sample)[..length]);
        foreach (string[] command in (string[][])[["generate", "--prompt", "a"], ["inspect"], ["check"], ["bench", "run"]])
            await CliRun.Fails(ExitCode.Failed, file.Path, [.. command, file.Path]);
    }

    [Fact]
    public async Task Not_a_model()
    {
        using var file = TemporaryFile.With("this is not a model file"u8);
        await CliRun.Fails(ExitCode.Failed, "GGUF", "generate", file.Path, "--prompt", "a");
    }

    [Fact]
    public Task A_request_that_the_pool_can_never_hold() =>
        CliRun.Fails(ExitCode.Failed, "the empty pool holds 16", "generate", "--device", "cpu", "--prompt", "a", "--kv-blocks", "1", "--max-tokens", "100");

    [Fact]
    public Task A_prompt_that_fills_the_context() =>
        CliRun.Fails(ExitCode.Failed, "the context 8", "generate", "--device", "cpu", "--prompt", "In the beginning God created the heaven", "--context", "8");

    [Fact]
    public async Task One_refused_prompt_does_not_hurt_the_others()
    {
        CliRun run = await CliRun.Of("generate", "--device", "cpu", "--context", "8", "--prompt", "In the beginning God created the heaven", "--prompt", "My son", "--max-tokens", "2", "--json");
        Assert.Equal(ExitCode.Failed, run.Code);
        var completions = System.Text.Json.JsonDocument.Parse(run.Output).RootElement.GetProperty("completions");
        Assert.Equal("error", completions[0].GetProperty("finish_reason").GetString());
        Assert.Equal("length", completions[1].GetProperty("finish_reason").GetString());
        Assert.Equal(2, completions[1].GetProperty("token_ids").GetArrayLength());
    }
}
