using System.Text.Json;
using Inference.Tests.Shared;

namespace Inference.Cli.Tests;

/// <summary><c>template</c>: prompts, one or line by line.</summary>
public class TemplateTests : IDisposable
{
    private const string ChatMl = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

    private readonly string folder = Directory.CreateTempSubdirectory("template").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task The_prompt_is_printed_as_it_is()
    {
        string template = Write("t.jinja", ChatMl), messages = Write("m.json", """[{"role": "user", "content": "hé"}]""");
        Assert.Equal("<|im_start|>user\nhé<|im_end|>\n<|im_start|>assistant\n", await Output("--template-file", template, "--messages", messages));
        Assert.Equal("<|im_start|>user\nhé<|im_end|>\n", await Output("--template-file", template, "--messages", messages, "--no-generation-prompt"));
    }

    [Fact]
    public async Task Tools_time_and_other_variables_reach_the_template()
    {
        string template = Write("t.jinja", "{{ tools|tojson }} {{ strftime_now('%d %b %Y %H:%M') }} {{ x }}"), messages = Write("m.json", """{"messages": [], "x": 5}"""), tools = Write("tools.json", """[{"name": "f"}]""");
        Assert.Equal("[{\"name\": \"f\"}] 10 Jul 2025 12:00 5", await Output("--template-file", template, "--messages", messages, "--tools", tools, "--now", "2025-07-10T12:00"));
        Assert.Equal("null 10 Jul 2025 23:59 5", await Output("--template-file", template, "--messages", messages, "--now", "2025-07-10T23:59:30+09:00"));
    }

    [Fact]
    public async Task A_folder_is_a_model()
    {
        Write("tokenizer_config.json", """{"chat_template": "{{ bos_token }}{{ messages[0].content }}", "bos_token": "<s>"}""");
        Assert.Equal("<s>x", await Output(folder, "--messages", Write("m.json", """[{"role": "user", "content": "x"}]""")));
    }

    [Fact]
    public async Task Each_line_is_a_render_with_its_own_variables()
    {
        string template = Write("t.jinja", ChatMl + "{{ x.y }}");
        string lines = Write("lines.jsonl", """
            {"messages": [{"role": "user", "content": "\"é\" <b>"}], "add_generation_prompt": true, "x": {"y": 1}}
            {"messages": [], "x": {}}

            {"messages": []}
            [1]
            {"messages": 
            """);
        JsonElement[] results = [.. (await Output("--template-file", template, "--jsonl", lines)).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
        Assert.Equal(5, results.Length);
        Assert.Equal("<|im_start|>user\n\"é\" <b><|im_end|>\n<|im_start|>assistant\n1", results[0].GetProperty("text").GetString());
        Assert.Equal("", results[1].GetProperty("text").GetString());
        Assert.Contains("'x' is undefined", results[2].GetProperty("error").GetString());
        Assert.Contains("line 5", results[3].GetProperty("error").GetString());
        Assert.Contains("line 6", results[4].GetProperty("error").GetString());
        string quiet = await Output("--template-file", template, "--jsonl", lines, "--no-generation-prompt");
        Assert.DoesNotContain("assistant", quiet.Split('\n')[0]);
    }

    [Fact]
    public async Task Lines_come_from_standard_input_too()
    {
        string template = Write("t.jinja", "{{ x }}");
        CliRun run = await CliRun.WithInput("{\"x\": 1}\n{\"x\": 2}\n", "template", "--template-file", template, "--jsonl", "-");
        Assert.Equal((ExitCode.Done, "", "{\"text\":\"1\"}\n{\"text\":\"2\"}\n"), (run.Code, run.Error, run.Output.ReplaceLineEndings("\n")));
    }

    [Theory]
    [InlineData("give either MODEL or --template-file", "--messages", "m")]
    [InlineData("give either MODEL or --template-file", "model", "--template-file", "t", "--messages", "m")]
    [InlineData("give either --messages FILE or --jsonl", "model")]
    [InlineData("give either --messages FILE or --jsonl", "model", "--messages", "m", "--jsonl", "l")]
    [InlineData("--tools needs --messages", "model", "--jsonl", "l", "--tools", "t")]
    [InlineData("--now must be a time such as 2025-07-10T12:00, not 'noon'", "model", "--messages", "m", "--now", "noon")]
    [InlineData("MODEL is empty", "", "--messages", "m")]
    [InlineData("unknown option '--foo'", "model", "--foo")]
    public Task Wrong_usage(string message, params string[] args) => CliRun.Fails(ExitCode.Usage, message, ["template", .. args]);

    [Fact]
    public async Task What_fails_is_one_line()
    {
        string refuses = Write("r.jinja", "a\n{{ raise_exception('roles must\nalternate') }}"), messages = Write("m.json", "[]"), broken = Write("b.json", "\n{"), number = Write("n.json", "5");
        await CliRun.Fails(ExitCode.Failed, "chat template, line 2: roles must alternate", "template", "--template-file", refuses, "--messages", messages);
        await CliRun.Fails(ExitCode.Failed, "line 2: expected JSON", "template", "--template-file", refuses, "--messages", broken);
        await CliRun.Fails(ExitCode.Failed, "expected a JSON array of messages", "template", "--template-file", refuses, "--messages", number);
        await CliRun.Fails(ExitCode.Failed, "expected a JSON array of tools", "template", "--template-file", refuses, "--messages", messages, "--tools", number);
        await CliRun.Fails(ExitCode.Failed, "no such file", "template", "--template-file", refuses, "--messages", "absent.json");
        await CliRun.Fails(ExitCode.Failed, "no such file or folder", "template", "absent", "--messages", messages);
        await CliRun.Fails(ExitCode.Failed, "no chat template", "template", folder, "--messages", messages);
        string sample = Path.Combine(SharedData.Root, "tools", "SampleModel", "kjv-5m-f16.gguf");
        await CliRun.Fails(ExitCode.Failed, "--template-file", "template", sample, "--messages", messages);
    }

    private static async Task<string> Output(params string[] args)
    {
        CliRun run = await CliRun.Of(["template", .. args]);
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        return run.Output;
    }

    private string Write(string name, string text)
    {
        string path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
