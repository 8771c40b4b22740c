using System.Text.Json;
using Inference.Tests.Shared;

namespace Inference.Cli.Tests;

/// <summary><c>generate</c> as text, with the sample model: what PyTorch wrote (golden.json), and nothing else.</summary>
public class GenerateTextTests
{
    // Prompts whose 48 greedy choices are all clear.
    private static readonly (string Prompt, string Text)[] Clear = [.. Goldens().Where(g => g.GetProperty("margins").EnumerateArray().All(m => m.GetDouble() >= 0.02)).Select(g => (g.GetProperty("prompt").GetString()!, g.GetProperty("greedy_48_text").GetString()!))];

    private static JsonElement.ArrayEnumerator Goldens() =>
        JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(Path.Combine(SharedData.Root, "tools", "SampleModel", "golden.json"))).GetProperty("prompts").EnumerateArray();

    [Fact]
    public async Task Text_is_the_golden_text_and_nothing_else()
    {
        Assert.NotEmpty(Clear);
        foreach ((string prompt, string text) in Clear) Assert.Equal(text, await CliRun.Generate("--prompt", prompt, "--max-tokens", "48"));
    }

    [Fact]
    public async Task Several_prompts_come_in_order_with_a_newline_between()
    {
        string[] args = [.. Clear.SelectMany(c => (string[])["--prompt", c.Prompt])];
        Assert.True(Clear.Length > 1);
        Assert.Equal(string.Join('\n', Clear.Select(c => c.Text)), await CliRun.Generate([.. args, "--max-tokens", "48"]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("\r\n")]
    public async Task Standard_input_and_a_file_are_prompts_without_their_last_newline(string end)
    {
        (string prompt, string text) = Clear[0];
        CliRun run = await CliRun.WithInput(prompt + end, "generate", "--device", "cpu", "--max-tokens", "48");
        Assert.Equal((ExitCode.Done, text, ""), (run.Code, run.Output, run.Error));
        using var file = TemporaryFile.With(System.Text.Encoding.UTF8.GetBytes(prompt + end));
        Assert.Equal(text, await CliRun.Generate("--prompt-file", file.Path, "--max-tokens", "48"));
    }

    [Fact]
    public async Task A_prompt_may_begin_with_what_the_parser_gives_a_meaning()
    {
        foreach (string prompt in (string[])["@file", "[diagram]", "-5 degrees", "--", "--prompts"])
            Assert.NotEqual("", await CliRun.Generate("--prompt=" + prompt, "--max-tokens", "8"));
    }

    [Fact]
    public async Task A_stop_string_ends_the_text_and_is_not_in_it()
    {
        (string prompt, string text) = Clear[0];
        string stop = text.Split(' ')[4];
        Assert.Equal(text[..text.IndexOf(stop, StringComparison.Ordinal)], await CliRun.Generate("--prompt", prompt, "--max-tokens", "48", "--stop", stop));
    }

    [Fact]
    public async Task A_seed_gives_the_same_text_again_and_another_seed_another()
    {
        string[] args = ["--prompt", "And it came to pass", "--temperature", "1", "--max-tokens", "24", "--seed"];
        string first = await CliRun.Generate([.. args, "1"]);
        Assert.Equal(first, await CliRun.Generate([.. args, "1"]));
        Assert.NotEqual(first, await CliRun.Generate([.. args, "2"]));
    }

    [Fact]
    public async Task A_model_may_be_named_and_verbose_logs_nothing_to_standard_output()
    {
        (string prompt, string text) = Clear[0];
        string path = Path.Combine(SharedData.Root, "tools", "SampleModel", "kjv-5m-f16.gguf");
        CliRun run = await CliRun.Of("generate", path, "--device", "cpu", "--prompt", prompt, "--max-tokens", "48", "--verbose");
        Assert.Equal((ExitCode.Done, text), (run.Code, run.Output));
    }

    [Fact]
    public async Task A_terminal_gets_a_newline_at_the_end_and_a_summary_beside_the_text()
    {
        using StringWriter output = new(), error = new();
        using var console = new CliConsole(TextReader.Null, output, error, CancellationToken.None) { OutputIsTerminal = true, ErrorIsTerminal = true };
        Assert.Equal(ExitCode.Done, await CommandLineApp.RunAsync(["generate", "--device", "cpu", "--prompt", Clear[0].Prompt, "--max-tokens", "48"], console));
        Assert.Equal(Clear[0].Text + "\n", output.ToString());
        Assert.Contains("48 tokens", error.ToString());
    }
}
