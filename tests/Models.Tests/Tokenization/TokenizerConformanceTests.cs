using System.Text.Json;
using Inference.Tests.Shared;

namespace Inference.Models.Tests;

/// <summary>Against Hugging Face's tokenizers and the ids that kjv-5m was trained with.</summary>
public class TokenizerConformanceTests
{
    public static TheoryData<string, string> All => TokenizerFiles.All;

    [Theory]
    [MemberData(nameof(All))]
    public void AllCasesAgreeWithHuggingFace(string name, string file)
    {
        Tokenizer tokenizer = TokenizerFiles.Load(name, file);
        List<TokenizerCase> cases = TokenizerFiles.Cases(name);
        var wrong = new List<string>();
        var right = new int[4];
        foreach (TokenizerCase c in cases)
        {
            Count(0, "encode", c, Text(c.Ids), Text(tokenizer.Encode(c.Text, addSpecial: false, parseSpecial: true)));
            Count(1, "with special", c, Text(c.IdsWithSpecial), Text(tokenizer.Encode(c.Text, addSpecial: true, parseSpecial: true)));
            Count(2, "decode", c, c.Decoded, tokenizer.Decode(c.Ids, skipSpecial: false));
            Count(3, "skip special", c, c.DecodedSkipSpecial, tokenizer.Decode(c.Ids, skipSpecial: true));
        }
        ConformanceLog.Write($"tokenizers-{name}-{file}", $"{cases.Count} cases: encode {right[0]}, with special {right[1]}, decode {right[2]}, skip special {right[3]}");
        Assert.True(cases.Count > 100, $"{name} has {cases.Count} cases");
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Take(10)));

        void Count(int kind, string what, TokenizerCase c, string expected, string actual)
        {
            if (expected == actual) right[kind]++;
            else wrong.Add($"{name} {what} [{c.Category}] {JsonSerializer.Serialize(c.Text)}: expected {expected}, found {actual}");
        }
    }

    [Fact]
    public void PromptsOfTheSampleModelGiveItsTokenIds()
    {
        string folder = SharedData.Require("models", "kjv-5m");
        Tokenizer tokenizer = Tokenizer.Open(Path.Combine(folder, "kjv-5m-f16.gguf"));
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "golden.json")));
        int prompts = 0;
        foreach (JsonElement prompt in golden.RootElement.GetProperty("prompts").EnumerateArray())
        {
            string text = prompt.GetProperty("prompt").GetString()!;
            Assert.Equal(Ids(prompt.GetProperty("token_ids")), tokenizer.Encode(text, addSpecial: true, parseSpecial: false));
            int[] continuation = Ids(prompt.GetProperty("greedy_48_ids"));
            StreamDecoder stream = tokenizer.CreateStream(continuation: true);
            Assert.Equal(prompt.GetProperty("greedy_48_text").GetString(), StreamDecoderTests.Feed(stream, continuation));
            prompts++;
        }
        Assert.Equal(10, prompts);
        ConformanceLog.Write("tokenizers-kjv-5m", $"{prompts} prompts and continuations");
    }

    private static string Text(int[] ids) => string.Join(' ', ids);

    private static int[] Ids(JsonElement array) => [.. array.EnumerateArray().Select(id => id.GetInt32())];
}
