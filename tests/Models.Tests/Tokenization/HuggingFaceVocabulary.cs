using System.Text.Json;
using Inference.Tests.Shared;

namespace Inference.Models.Tests;

/// <summary>A byte-level tokenizer.json as the vocabulary that a GGUF converter would write, for those that come without a GGUF file.</summary>
internal static class HuggingFaceVocabulary
{
    public static Tokenizer Load(string name, string pre)
    {
        string path = SharedData.Require("conformance", "tokenizers", name, "tokenizer.json");
        using FileStream stream = File.OpenRead(path);
        using JsonDocument document = JsonDocument.Parse(stream);
        JsonElement root = document.RootElement;
        JsonElement model = root.GetProperty("model");
        var tokens = new SortedDictionary<int, (string Text, TokenType Type)>();
        foreach (JsonProperty token in model.GetProperty("vocab").EnumerateObject()) tokens[token.Value.GetInt32()] = (token.Name, TokenType.Normal);
        foreach (JsonElement added in root.GetProperty("added_tokens").EnumerateArray())
            tokens[added.GetProperty("id").GetInt32()] = (added.GetProperty("content").GetString()!, added.GetProperty("special").GetBoolean() ? TokenType.Control : TokenType.UserDefined);
        return Tokenizer.Create(new VocabularyData
        {
            Source = path,
            Model = ByteLevelTokenizer.Family,
            Pre = pre,
            Tokens = [.. tokens.Values.Select(token => token.Text)],
            Types = [.. tokens.Values.Select(token => token.Type)],
            Merges = [.. model.GetProperty("merges").EnumerateArray().Select(Merge)],
            BosId = tokens.Single(token => token.Value.Text == "<|begin_of_text|>").Key,
        });
    }

    private static string Merge(JsonElement merge) => merge.ValueKind == JsonValueKind.String ? merge.GetString()! : $"{merge[0].GetString()} {merge[1].GetString()}";
}
