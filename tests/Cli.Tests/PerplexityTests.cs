using System.Text.Json;
using Inference.Tests.Shared;

namespace Inference.Cli.Tests;

/// <summary><c>perplexity</c> on the sample model.</summary>
public sealed class PerplexityTests : IDisposable
{
    private const string Text = "In the beginning God created the heaven and the earth. And God said, Let there be light: and there was light.\n";

    private readonly TemporaryFile text = TemporaryFile.With(System.Text.Encoding.UTF8.GetBytes(Text)), saved = new();

    public void Dispose()
    {
        text.Dispose();
        saved.Dispose();
    }

    private async Task<JsonElement> Json(params string[] args)
    {
        CliRun run = await CliRun.Of(["perplexity", "--device", "cpu", "--file", text.Path, "--json", .. args]);
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        return JsonSerializer.Deserialize<JsonElement>(run.Output);
    }

    [Fact]
    public async Task Json_has_the_figures_and_the_memory()
    {
        JsonElement json = await Json("--context", "16");
        double nll = json.GetProperty("mean_nll").GetDouble();
        Assert.Equal(Math.Exp(nll), json.GetProperty("perplexity").GetDouble(), 1e-9);
        Assert.InRange(nll, 1, 6);
        Assert.True(json.GetProperty("mean_nll_error").GetDouble() > 0);
        Assert.Equal(16, json.GetProperty("context").GetInt32());
        int predicted = json.GetProperty("predicted_tokens").GetInt32();
        Assert.Equal((predicted + 14) / 15, json.GetProperty("windows").GetInt32());
        // Matrices in F16; 6 layers of K and V, 2 heads of 64 each.
        Assert.Equal(2 * (5_770_496 - 13 * 256), json.GetProperty("file_weight_bytes").GetInt64());
        Assert.Equal(json.GetProperty("file_weight_bytes").GetInt64(), json.GetProperty("weight_bytes").GetInt64());
        Assert.Equal(6 * 2 * 2 * 64 * 2, json.GetProperty("kv_bytes_per_token").GetInt64());
        Assert.False(json.TryGetProperty("divergence", out _));
    }

    [Fact]
    public async Task A_run_is_compared_with_saved_logits()
    {
        await Json("--context", "16", "--save-logits", saved.Path);
        JsonElement same = (await Json("--context", "16", "--kl-base", saved.Path)).GetProperty("divergence");
        Assert.Equal((0.0, 0.0, 1.0, "kjv-5m"), (same.GetProperty("mean").GetDouble(), same.GetProperty("max").GetDouble(), same.GetProperty("same_top_token").GetDouble(), same.GetProperty("base").GetString()));
        CliRun other = await CliRun.Of("perplexity", "--device", "cpu", "--file", text.Path, "--context", "16", "--exact", "--kl-base", saved.Path);
        Assert.Equal((ExitCode.Done, ""), (other.Code, other.Error));
        Assert.Contains("KL divergence  mean ", other.Output);
        Assert.Contains("same top token", other.Output);
        await CliRun.Fails(ExitCode.Failed, "--context 16", "perplexity", "--device", "cpu", "--file", text.Path, "--context", "17", "--kl-base", saved.Path);
        await CliRun.Fails(ExitCode.Usage, "overwrite", "perplexity", "--device", "cpu", "--file", text.Path, "--kl-base", saved.Path, "--save-logits", saved.Path);
    }

    [Fact]
    public async Task Text_output_has_a_line_for_each_figure()
    {
        CliRun run = await CliRun.Of("perplexity", "--device", "cpu", "--file", text.Path);
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        Assert.Equal(["model", "weights", "text", "mean", "perplexity"], run.Output.TrimEnd().Split('\n').Select(line => line.Split(' ')[0]));
        Assert.Contains("11.0 MiB in memory, 11.0 MiB in the file", run.Output);
    }

    [Fact]
    public async Task What_cannot_be_done_is_one_line()
    {
        using var oneToken = TemporaryFile.With("a"u8);
        using var empty = new TemporaryFile();
        await CliRun.Fails(ExitCode.Failed, "at least 2", "perplexity", "--device", "cpu", "--file", empty.Path);
        await CliRun.Fails(ExitCode.Failed, "1 token;", "perplexity", "--device", "cpu", "--file", oneToken.Path);
        await CliRun.Fails(ExitCode.Failed, "no such file", "perplexity", "--device", "cpu", "--file", "/no/such/text");
        await CliRun.Fails(ExitCode.Failed, "no such file", "perplexity", "--device", "cpu", "--file", text.Path, "--kl-base", "/no/such/logits");
        await CliRun.Fails(ExitCode.Failed, "not a file of saved logits", "perplexity", "--device", "cpu", "--file", text.Path, "--kl-base", text.Path);
        await CliRun.Fails(ExitCode.Usage, "--context 513 is more than the 512 tokens of the model", "perplexity", "--device", "cpu", "--file", text.Path, "--context", "513");
        await CliRun.Fails(ExitCode.Usage, "--context", "perplexity", "--device", "cpu", "--file", text.Path, "--context", "1");
        await CliRun.Fails(ExitCode.Usage, "--file", "perplexity", "--device", "cpu");
    }
}
