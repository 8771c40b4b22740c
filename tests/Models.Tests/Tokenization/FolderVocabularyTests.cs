using System.Text.Json;
using Inference.Tests.Shared;

namespace Inference.Models.Tests;

/// <summary>tokenizer.json in GGUF's form: found by trying, and then right on all conformance cases.</summary>
public class FolderVocabularyTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("qwen3", "gpt2", "qwen2"), InlineData("llama3_1", "gpt2", "llama-bpe"), InlineData("gpt2", "gpt2", "gpt-2"), InlineData("smollm_style", "gpt2", "smollm"), InlineData("llama2", "llama", "default")]
    public void A_vocabulary_tokenizes_as_its_folder(string name, string family, string pre)
    {
        string folder = SharedData.Require("conformance", "tokenizers", name);
        TokenizerDefinition definition = FolderTokenizer.Read(folder, rows: null);
        VocabularyData data = FolderVocabulary.Read(folder, definition.Tokens.Length + 2);
        Assert.Equal((family, pre, definition.Tokens.Length + 2), (data.Model, data.Pre, data.Tokens.Length));
        Assert.Equal((TokenType.Unused, $"[PAD{data.Tokens.Length - 1}]"), (data.Types[^1], data.Tokens[^1]));
        Tokenizer expected = new(definition), actual = Tokenizer.Create(data);
        Assert.Equal(expected.EndOfGeneration.Order(), actual.EndOfGeneration.Order());
        using JsonDocument cases = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "cases.json")));
        JsonElement list = cases.RootElement.ValueKind == JsonValueKind.Array ? cases.RootElement : cases.RootElement.GetProperty("cases");
        int count = 0, different = 0;
        foreach (JsonElement entry in list.EnumerateArray())
        {
            string text = entry.GetProperty("text").GetString()!;
            count++;
            if (!expected.Encode(text, addSpecial: true, parseSpecial: false).AsSpan().SequenceEqual(actual.Encode(text, addSpecial: true, parseSpecial: false))) different++;
        }
        output.WriteLine($"{name}: {count} texts, {different} tokenized otherwise");
        Assert.Equal(0, different);
    }

    [Fact]
    public void A_way_to_cut_text_without_a_name_is_refused()
    {
        using var folder = new TinyFolder("qwen2");
        folder.Set("tokenizer.json", SmallTokenizerJson.ByteLevel("e l").With("pre_tokenizer", """{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"e"},"behavior":"Isolated"},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]}""").WithToken(257, "<s>", "special").WithToken(258, "</s>", "special"));
        folder.Save();
        Assert.Equal("tokenizer", Assert.Throws<ModelFormatException>(() => FolderVocabulary.Read(folder.Path, 300)).Key);
        // Two tokens around a text, where GGUF has room for one.
        folder.Set("tokenizer.json", SmallTokenizerJson.ByteLevel("a b").WithToken(257, "<s>", "special").WithToken(258, "</s>", "special")
            .With("post_processor", """{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"pair":[],"special_tokens":{"<s>":{"id":"<s>","ids":[257],"tokens":["<s>"]}}}"""));
        Assert.Equal("post_processor", Assert.Throws<ModelFormatException>(() => FolderVocabulary.Read(folder.Path, 300)).Key);
    }
}
