using System.Text.Json;
using Inference.Tests.Shared;

namespace Inference.Models.Tests;

/// <summary>Vocabularies that come without a GGUF file, as the metadata that a converter would write for them.</summary>
public class GgufFamilyTests
{
    [Theory]
    [InlineData("llama3_1", "llama-bpe")]
    [InlineData("deepseek_v3", "deepseek-v3")]
    [InlineData("gptoss", "gpt-4o")]
    [InlineData("gpt35turbo", "dbrx")]
    public void ByteLevelFamiliesAgreeWithHuggingFace(string name, string pre) =>
        Check(name, Read(name) with { Model = GgufTokenizer.ByteLevel, Pre = pre });

    /// <summary>A score is the rank of the first merge that gives the token; runs of spaces and newlines are user-defined.</summary>
    [Fact]
    public void GemmaAgreesWithHuggingFace()
    {
        VocabularyData data = Read("gemma3");
        var ids = new Dictionary<string, int>();
        for (int id = 0; id < data.Tokens.Length; id++) ids[data.Tokens[id]] = id;
        var scores = new float[data.Tokens.Length];
        for (int rank = data.Merges!.Length - 1; rank >= 0; rank--) scores[ids[data.Merges[rank].Remove(data.Merges[rank].IndexOf(' '), 1)]] = -rank;
        for (int id = 0; id < scores.Length; id++)
            if (data.Types[id] == TokenType.UserDefined) scores[id] = -1e6f;
        Check("gemma3", data with { Model = GgufTokenizer.SentencePiece, Merges = null, Scores = scores, AddSpacePrefix = false });
    }

    private static void Check(string name, VocabularyData data)
    {
        Tokenizer tokenizer = Tokenizer.Create(data);
        List<TokenizerCase> cases = TokenizerFiles.Cases(name);
        foreach (TokenizerCase c in cases)
        {
            Assert.Equal(c.Ids, tokenizer.Encode(c.Text, addSpecial: false, parseSpecial: true));
            Assert.Equal(c.Decoded, tokenizer.Decode(c.Ids, skipSpecial: false));
            Assert.Equal(c.DecodedSkipSpecial, tokenizer.Decode(c.Ids, skipSpecial: true));
        }
        ConformanceLog.Write($"tokenizers-{name}-as-gguf", $"{cases.Count} cases: encode {cases.Count}, decode {cases.Count}, skip special {cases.Count}");
    }

    private static VocabularyData Read(string name)
    {
        string path = SharedData.Require("conformance", "tokenizers", name, TokenizerFiles.Json);
        using FileStream stream = File.OpenRead(path);
        using JsonDocument document = JsonDocument.Parse(stream);
        JsonElement root = document.RootElement, model = root.GetProperty("model");
        var tokens = new SortedDictionary<int, (string Text, TokenType Type)>();
        foreach (JsonProperty token in model.GetProperty("vocab").EnumerateObject())
            tokens[token.Value.GetInt32()] = (token.Name, ByteFallback.TryParse(token.Name, out _) ? TokenType.Byte : TokenType.Normal);
        foreach (JsonElement added in root.GetProperty("added_tokens").EnumerateArray())
            tokens[added.GetProperty("id").GetInt32()] = (added.GetProperty("content").GetString()!, added.GetProperty("special").GetBoolean() ? TokenType.Control : TokenType.UserDefined);
        int count = tokens.Keys.Last() + 1;
        return new VocabularyData
        {
            Source = path,
            Model = "",
            Tokens = [.. Enumerable.Range(0, count).Select(id => tokens.TryGetValue(id, out var token) ? token.Text : "")],
            Types = [.. Enumerable.Range(0, count).Select(id => tokens.TryGetValue(id, out var token) ? token.Type : TokenType.Unused)],
            Merges = [.. model.GetProperty("merges").EnumerateArray().Select(merge => merge.ValueKind == JsonValueKind.String ? merge.GetString()! : $"{merge[0].GetString()} {merge[1].GetString()}")],
        };
    }
}
