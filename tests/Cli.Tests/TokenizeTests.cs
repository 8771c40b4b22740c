using System.Text;
using System.Text.Json;
using Inference.Tests.Shared;

namespace Inference.Cli.Tests;

/// <summary><c>tokenize</c>, <c>detokenize</c> and <c>bench tokenizer</c>: with the sample model, a tokenizer.json of a few tokens, and the vocabularies of ../shared.</summary>
public class TokenizeTests
{
    private static readonly string Sample = Path.Combine(SharedData.Root, "tools", "SampleModel", "kjv-5m-f16.gguf");

    private const string Small = """
        {"added_tokens":[{"id":4,"content":"<s>","special":true}],"normalizer":null,"pre_tokenizer":null,
         "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[4],"tokens":["<s>"]}}},
         "decoder":{"type":"Fuse"},"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"é":3},"merges":["a b"]}}
        """;

    [Fact]
    public async Task A_text_gives_its_ids_and_the_ids_give_the_text()
    {
        using var folder = new SmallFolder();
        foreach (string model in (string[])[folder.Path, Path.Combine(folder.Path, "tokenizer.json")])
        {
            Assert.Equal(new CliRun(ExitCode.Done, "4 2 0 3\n", ""), await CliRun.Of("tokenize", model, "abaé"));
            Assert.Equal(new CliRun(ExitCode.Done, "2 4 1\n", ""), await CliRun.Of("tokenize", model, "ab<s>b", "--no-special"));
            Assert.Equal(new CliRun(ExitCode.Done, "<s>abé\n", ""), await CliRun.Of("detokenize", model, "4", "2", "3"));
            Assert.Equal(new CliRun(ExitCode.Done, "abé\n", ""), await CliRun.Of("detokenize", model, "4,2,3", "--skip-special"));
        }
    }

    [Fact]
    public async Task Json_has_ids_with_and_without_special_tokens_and_the_decoded_text()
    {
        using var folder = new SmallFolder();
        CliRun run = await CliRun.Of("tokenize", folder.Path, "<s>ab", "--json");
        Assert.Equal("{\"ids\":[4,2],\"ids_with_special\":[4,4,2],\"decoded\":\"<s>ab\",\"decoded_skip_special\":\"ab\",\"tokens\":[\"<s>\",\"ab\"]}\n", run.Output);
        Assert.Equal("{\"decoded\":\"<s>ab\",\"decoded_skip_special\":\"ab\"}\n", (await CliRun.Of("detokenize", folder.Path, "4", "2", "--json")).Output);
        Assert.DoesNotContain("ids_with_special", (await CliRun.Of("tokenize", folder.Path, "ab", "--json", "--no-special")).Output);
    }

    [Fact]
    public async Task Lines_of_a_file_give_lines_of_output()
    {
        using var folder = new SmallFolder();
        using var file = TemporaryFile.With(Encoding.UTF8.GetBytes("{\"text\":\"ab\"}\n\n{\"other\":1,\"text\":\"\"}\r\n{\"text\":\"\\u00e9\"}"));
        CliRun run = await CliRun.Of("tokenize", folder.Path, "--jsonl", file.Path);
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        JsonElement[] lines = [.. run.Output.TrimEnd().Split('\n').Select(line => JsonSerializer.Deserialize<JsonElement>(line))];
        Assert.Equal([[2], [], [3]], lines.Select(line => CliRun.Ints(line.GetProperty("ids"))));
        Assert.Equal([[4, 2], [4], [4, 3]], lines.Select(line => CliRun.Ints(line.GetProperty("ids_with_special"))));
        Assert.Equal(["ab", "", "é"], lines.Select(line => line.GetProperty("decoded").GetString()));
        CliRun back = await CliRun.WithInput(run.Output, "detokenize", folder.Path, "--jsonl", "-");
        Assert.Equal(["ab", "", "é"], back.Output.TrimEnd().Split('\n').Select(line => JsonSerializer.Deserialize<JsonElement>(line).GetProperty("decoded").GetString()));
    }

    [Theory]
    [InlineData("llama2", "vocab.gguf")]
    [InlineData("gpt2", "vocab.gguf")]
    [InlineData("qwen3", "")]
    [InlineData("gemma3", "tokenizer.json")]
    public async Task Cases_of_a_vocabulary_come_out_as_lines(string name, string file)
    {
        string folder = SharedData.Require("conformance", "tokenizers", name);
        JsonElement[] cases = [.. JsonSerializer.Deserialize<JsonElement>(File.ReadAllBytes(Path.Combine(folder, "cases.json"))).EnumerateArray()];
        using var lines = TemporaryFile.With(Encoding.UTF8.GetBytes(string.Join('\n', cases.Select(c => JsonSerializer.Serialize(new { text = c.GetProperty("text").GetString() })))));
        CliRun run = await CliRun.Of("tokenize", Path.Combine(folder, file), "--jsonl", lines.Path);
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        string[] output = run.Output.TrimEnd('\n').Split('\n');
        Assert.Equal(cases.Length, output.Length);
        for (int i = 0; i < cases.Length; i++)
        {
            var line = JsonSerializer.Deserialize<JsonElement>(output[i]);
            Assert.Equal(CliRun.Ints(cases[i].GetProperty("ids")), CliRun.Ints(line.GetProperty("ids")));
            Assert.Equal(CliRun.Ints(cases[i].GetProperty("ids_with_special")), CliRun.Ints(line.GetProperty("ids_with_special")));
            Assert.Equal(cases[i].GetProperty("decoded").GetString(), line.GetProperty("decoded").GetString());
        }
    }

    [Fact]
    public async Task Wrong_input_is_one_line()
    {
        using var folder = new SmallFolder();
        await CliRun.Fails(ExitCode.Usage, "either TEXT or --jsonl", "tokenize", folder.Path);
        await CliRun.Fails(ExitCode.Usage, "either TEXT or --jsonl", "tokenize", folder.Path, "a", "--jsonl", "b");
        await CliRun.Fails(ExitCode.Usage, "either IDS or --jsonl", "detokenize", folder.Path);
        await CliRun.Fails(ExitCode.Usage, "'x' is no token id", "detokenize", folder.Path, "x");
        await CliRun.Fails(ExitCode.Usage, "the vocabulary has 5 tokens", "detokenize", folder.Path, "5");
        await CliRun.Fails(ExitCode.Usage, "MODEL is empty", "tokenize", "", "a");
        await CliRun.Fails(ExitCode.Failed, "no such file", "tokenize", "/no/such/model", "a");
        await CliRun.Fails(ExitCode.Failed, "no such file", "tokenize", folder.Path, "--jsonl", "/no/such/file");
        await CliRun.Fails(ExitCode.Failed, "expected tokenizer.json or tokenizer.model, found neither", "tokenize", SharedData.Root, "a");
        using var broken = TemporaryFile.With("{\"text\":7}\n"u8);
        await CliRun.Fails(ExitCode.Failed, "line 1: expected a JSON object with a text in \"text\"", "tokenize", folder.Path, "--jsonl", broken.Path);
        await CliRun.Fails(ExitCode.Failed, "line 1: expected a JSON object with an array of token ids in \"ids\"", "detokenize", folder.Path, "--jsonl", broken.Path);
        await CliRun.Fails(ExitCode.Failed, "GGUF", "tokenize", broken.Path, "a");
    }

    [Fact]
    public async Task Bench_prints_speeds_of_encoding_and_decoding()
    {
        using var text = TemporaryFile.With("In the beginning God created the heaven and the earth.\n"u8);
        CliRun run = await CliRun.Of("bench", "tokenizer", Sample, "--file", text.Path, "--format", "json");
        Assert.Equal((ExitCode.Done, ""), (run.Code, run.Error));
        JsonElement[] results = [.. JsonSerializer.Deserialize<JsonElement>(run.Output).GetProperty("results").EnumerateArray()];
        Assert.Equal([55, 1_000_000, 1_000_000, 1_000_000], results.Select(r => r.GetProperty("bytes").GetInt32()));
        Assert.All(results, r => Assert.True(r.GetProperty("encode_mb_per_second").GetDouble() > 0 && r.GetProperty("decode_mb_per_second").GetDouble() > 0));
        Assert.Contains("MB/s", (await CliRun.Of("bench", "tokenizer", Sample, "--file", text.Path)).Output);
    }

    /// <summary>A folder with tokenizer files only.</summary>
    private sealed class SmallFolder : IDisposable
    {
        public SmallFolder() => File.WriteAllText(System.IO.Path.Combine(Path, "tokenizer.json"), Small);

        public string Path { get; } = Directory.CreateTempSubdirectory("tokenizer").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
