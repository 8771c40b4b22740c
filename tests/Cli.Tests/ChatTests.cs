using System.Text.Json;
using Inference.Tests.Shared;

namespace Inference.Cli.Tests;

/// <summary><c>chat</c> over a pipe: each line a turn, answers and nothing else on standard output.</summary>
public class ChatTests
{
    internal const string Template = "{{ bos_token }}{% for m in messages %}{% if m.role == 'assistant' %}{{ m.content }}{{ eos_token }}{% else %}[{{ m.role }}] {{ m.content }}\n{% endif %}{% endfor %}";

    // Answers of one line, so that lines can be counted.
    private static readonly string[] OneLine = ["--stop", "\n", "--max-tokens", "12"];

    private static async Task<CliRun> ChatAsync(string input, params string[] args)
    {
        using var template = TemporaryFile.With(System.Text.Encoding.UTF8.GetBytes(Template));
        return await CliRun.WithInput(input, ["chat", "--device", "cpu", "--template-file", template.Path, .. args]);
    }

    private static async Task<string[]> AnswersAsync(string input, params string[] args)
    {
        CliRun run = await ChatAsync(input, [.. OneLine, .. args]);
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        Assert.EndsWith("\n", run.Output);
        return run.Output[..^1].Split('\n');
    }

    private static JsonElement[] Messages(string path) => [.. JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(path)).GetProperty("messages").EnumerateArray()];

    private static string?[] Contents(string path) => [.. Messages(path).Select(m => m.GetProperty("content").GetString())];

    [Fact]
    public async Task Each_line_is_a_turn_and_an_answer_is_what_generate_makes_of_the_prompt()
    {
        string[] answers = await AnswersAsync("Who made the heaven?\n\nAnd the earth?");
        Assert.Equal(2, answers.Length);
        string first = "<s>[user] Who made the heaven?\n", second = first + answers[0] + "</s>[user] And the earth?\n";
        Assert.Equal(answers[0], await GenerateAsync(first));
        Assert.Equal(answers[1], await GenerateAsync(second));
    }

    /// <summary>The prompt after its BOS, which generate puts there itself.</summary>
    private static Task<string> GenerateAsync(string prompt) => CliRun.Generate(["--prompt", prompt["<s>".Length..], "--special", .. OneLine]);

    [Fact]
    public async Task The_system_prompt_stays_after_a_reset()
    {
        string[] answers = await AnswersAsync("Who made the heaven?\n/reset\nWho made the heaven?\n", "--system", "Thou art a prophet.");
        Assert.Equal(2, answers.Length);
        Assert.Equal(answers[0], answers[1]);
        Assert.Equal(answers[0], await GenerateAsync("<s>[system] Thou art a prophet.\n[user] Who made the heaven?\n"));
    }

    [Fact]
    public async Task Lines_go_on_after_a_backslash_and_in_a_block()
    {
        using var file = new TemporaryFile();
        await AnswersAsync($"one \\\ntwo\\\nthree\n\"\"\"\nfour\n/five\n\"\"\"\n\"\"\"six\"\"\"\n//seven\n/save {file.Path}\n");
        Assert.Equal(["one \ntwo\nthree", "four\n/five", "six", "/seven"], Messages(file.Path).Where(m => m.GetProperty("role").GetString() == "user").Select(m => m.GetProperty("content").GetString()));
    }

    [Fact]
    public async Task Regen_answers_anew_with_another_sample_of_the_seed()
    {
        using TemporaryFile before = new(), after = new();
        string[] answers = await AnswersAsync($"Who made the heaven?\n/save {before.Path}\n/regen\n/save {after.Path}\n", "--temperature", "1", "--seed", "3");
        Assert.Equal(2, answers.Length);
        Assert.NotEqual(answers[0], answers[1]);
        Assert.Equal(["Who made the heaven?", answers[0]], Contents(before.Path));
        Assert.Equal(["Who made the heaven?", answers[1]], Contents(after.Path));
    }

    [Fact]
    public async Task A_saved_conversation_goes_on_where_it_was_left()
    {
        using TemporaryFile saved = new(), again = new();
        string[] whole = await AnswersAsync($"Who made the heaven?\n/save {saved.Path}\nAnd the earth?\n", "--system", "Thou art a prophet.");
        string[] rest = await AnswersAsync($"/load {saved.Path}\n/save {again.Path}\nAnd the earth?\n");
        Assert.Equal([whole[1]], rest);
        Assert.Equal(File.ReadAllText(saved.Path), File.ReadAllText(again.Path));
        Assert.Equal(["system", "user", "assistant"], Messages(saved.Path).Select(m => m.GetProperty("role").GetString()));
    }

    [Fact]
    public async Task A_save_that_fails_leaves_the_old_file_and_nothing_else()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            string path = Path.Combine(folder, "c.json");
            await AnswersAsync($"One\n/save {path}\nTwo\n/save {path}\n");
            Assert.Equal(4, Messages(path).Length);
            Assert.Equal([path], Directory.GetFileSystemEntries(folder));
            CliRun run = await ChatAsync($"One\n/save {folder}\n/save {Path.Combine(folder, "no", "c.json")}\nTwo\n", OneLine);
            Assert.Equal(ExitCode.Failed, run.Code);
            Assert.Equal(2, run.Error.Split("error: ").Length - 1);
            Assert.Equal(2, run.Output.Count(c => c == '\n'));
            Assert.Equal([path], Directory.GetFileSystemEntries(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Theory]
    [InlineData("{", "no JSON")]
    [InlineData("{}", "messages: expected an array, found no such key")]
    [InlineData("3", "messages: expected an array, found a number")]
    [InlineData("""[{"role":"user","content":"a"},{"role":"user","content":7}]""", "messages[1].content: expected a string, found a number")]
    [InlineData("""{"messages":[{"content":"a"}]}""", "messages[0].role: expected a string that is not empty, found none")]
    [InlineData("""[["user","a"]]""", "messages[0]: expected an object, found an array")]
    public async Task A_file_that_is_no_conversation_is_named_and_the_conversation_stays(string content, string message)
    {
        using TemporaryFile file = TemporaryFile.With(System.Text.Encoding.UTF8.GetBytes(content)), after = new();
        CliRun run = await ChatAsync($"One\n/load {file.Path}\n/save {after.Path}\n", OneLine);
        Assert.Equal(ExitCode.Failed, run.Code);
        Assert.StartsWith($"error: {file.Path}: {message}", run.Error);
        Assert.Equal(run.Error.Length - 1, run.Error.IndexOf('\n'));
        Assert.Equal(2, Messages(after.Path).Length);
    }

    [Fact]
    public async Task A_full_context_keeps_the_system_prompt_and_says_so_in_one_line_each_time()
    {
        string input = string.Concat(Enumerable.Range(0, 8).Select(i => $"Question {i}\n"));
        CliRun run = await ChatAsync(input, [.. OneLine, "--ignore-eos", "--context", "96", "--system", "Thou art a prophet."]);
        Assert.Equal(ExitCode.Done, run.Code);
        Assert.Equal(8, run.Output.Count(c => c == '\n'));
        string[] notices = run.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.InRange(notices.Length, 1, 7);
        Assert.All(notices, notice => Assert.Matches(@"^\[the context is full: the \d+ oldest messages are left out from here on, the system prompt stays\]$", notice));
    }

    [Theory]
    [InlineData("/foo", "unknown command '/foo'")]
    [InlineData("/save", "/save needs a file")]
    [InlineData("/load /no/such.json", "/no/such.json: no such file")]
    [InlineData("/regen", "there is no message to answer yet")]
    public async Task A_command_that_cannot_be_carried_out_is_one_line_and_the_conversation_goes_on(string command, string message)
    {
        CliRun run = await ChatAsync($"{command}\nWho made the heaven?\n", OneLine);
        Assert.Equal((ExitCode.Failed, 1), (run.Code, run.Output.Count(c => c == '\n')));
        Assert.Matches($"^error: {System.Text.RegularExpressions.Regex.Escape(message)}[^\n]*\n$", run.Error);
    }

    [Fact]
    public async Task Exit_and_help()
    {
        CliRun run = await ChatAsync("/help\n/exit\nnever said\n", OneLine);
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Output));
        foreach (string command in (string[])["/regen", "/reset", "/save", "/load", "/help", "/exit"]) Assert.Contains(command, run.Error);
    }

    [Fact]
    public async Task A_model_without_a_template_needs_one()
    {
        await CliRun.Fails(ExitCode.Failed, "kjv-5m: the model has no chat template", "chat", "--device", "cpu");
        await CliRun.Fails(ExitCode.Failed, "/no/such.jinja: no such file", "chat", "--device", "cpu", "--template-file", "/no/such.jinja");
        using var broken = TemporaryFile.With("{% for %}"u8);
        await CliRun.Fails(ExitCode.Failed, "chat template, line 1", "chat", "--device", "cpu", "--template-file", broken.Path);
    }

    [Fact]
    public async Task Variables_reach_the_template_as_JSON_or_text()
    {
        using var template = TemporaryFile.With("{{ raise_exception(a ~ b ~ c) }}"u8);
        CliRun run = await CliRun.WithInput("x\n", "chat", "--device", "cpu", "--template-file", template.Path, "--template-var", "a=false", "--template-var", "b=3", "--template-var", "c=text=4");
        Assert.Equal(ExitCode.Failed, run.Code);
        Assert.Contains("False3text=4", run.Error);
        await CliRun.Fails(ExitCode.Usage, "--template-var must be NAME=VALUE", "chat", "--template-file", template.Path, "--template-var", "enable_thinking");
    }

    [Fact]
    public async Task What_the_model_thinks_is_shown_where_it_is_wanted()
    {
        // The template opens the block, and the sample model never closes it.
        using var template = TemporaryFile.With(System.Text.Encoding.UTF8.GetBytes(Template + "{% if add_generation_prompt %}<think>\n{% endif %}{# </think> #}"));
        string[] command = ["chat", "--device", "cpu", "--template-file", template.Path, .. OneLine];
        CliRun hidden = await CliRun.WithInput("Who made the heaven?\n", command), shown = await CliRun.WithInput("Who made the heaven?\n", [.. command, "--thinking", "show"]);
        Assert.Equal((ExitCode.Done, "\n"), (hidden.Code, hidden.Output));
        Assert.Matches("^<think>\n[^\n]+\n</think>\n\n$", shown.Output);
    }
}
