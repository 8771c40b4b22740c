using System.Text.Json;
using Inference.Tests.Shared;

namespace Inference.Cli.Tests;

/// <summary><c>inspect</c> of the sample model; its numbers are in tools/SampleModel/README.md.</summary>
public class InspectTests
{
    private static readonly string Sample = Path.Combine(SharedData.Root, "tools", "SampleModel", "kjv-5m-f16.gguf");

    [Fact]
    public async Task Json_has_the_numbers_of_the_model()
    {
        CliRun run = await CliRun.Of("inspect", Sample, "--json", "--tensors");
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        var json = JsonSerializer.Deserialize<JsonElement>(run.Output);
        Assert.Equal("llama", json.GetProperty("architecture").GetString());
        Assert.Equal("kjv-5m", json.GetProperty("name").GetString());
        Assert.Equal(5_770_496, json.GetProperty("parameters").GetInt64());
        Assert.Equal(new FileInfo(Sample).Length, json.GetProperty("file_bytes").GetInt64());
        Assert.True(json.GetProperty("supported").GetBoolean());
        Assert.Equal("256", json.GetProperty("metadata").GetProperty("llama.embedding_length").GetString());
        // Weights in F16, and 13 norms of 256 in F32.
        JsonElement[] types = [.. json.GetProperty("tensor_types").EnumerateArray()];
        Assert.Equal([("F16", 2 * (5_770_496 - 13 * 256L)), ("F32", 4 * 13 * 256L)], types.Select(t => (t.GetProperty("type").GetString(), t.GetProperty("bytes").GetInt64())));
        JsonElement[] tensors = [.. json.GetProperty("tensors").EnumerateArray()];
        Assert.Equal(types.Sum(t => t.GetProperty("tensors").GetInt32()), tensors.Length);
        Assert.Equal(5_770_496, tensors.Sum(t => t.GetProperty("elements").GetInt64()));
    }

    [Fact]
    public async Task Text_lists_tensors_only_when_asked()
    {
        CliRun brief = await CliRun.Of("inspect", Sample), full = await CliRun.Of("inspect", Sample, "--tensors");
        Assert.Contains("5,770,496", brief.Output);
        Assert.DoesNotContain("token_embd.weight", brief.Output);
        Assert.Contains("token_embd.weight", full.Output);
    }

    [Fact]
    public async Task A_file_that_this_build_does_not_run_is_shown_with_the_reason()
    {
        string path = SharedData.Require("conformance", "tokenizers", "qwen3", "vocab.gguf");
        CliRun run = await CliRun.Of("inspect", path, "--json");
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        var json = JsonSerializer.Deserialize<JsonElement>(run.Output);
        Assert.Equal("llama", json.GetProperty("architecture").GetString());
        Assert.False(json.GetProperty("supported").GetBoolean());
        Assert.Contains("found none beside a vocabulary of 151669 tokens", json.GetProperty("refusal").GetString(), StringComparison.Ordinal);
    }
}
