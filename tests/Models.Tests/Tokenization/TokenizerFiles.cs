using System.Collections.Concurrent;
using System.Text.Json;
using Inference.Tests.Shared;

namespace Inference.Models.Tests;

/// <summary>Tokenizers and cases of <c>../shared/conformance/tokenizers</c>; each vocabulary is loaded once for all tests.</summary>
internal static class TokenizerFiles
{
    private static readonly ConcurrentDictionary<string, Lazy<Tokenizer>> Loaded = new();

    /// <summary>Vocabularies of the architectures llama, qwen2 and qwen3 that come as GGUF.</summary>
    public static TheoryData<string> Names => ["llama2", "mistral_v1", "mistral_v3", "phi3_style", "qwen3", "smollm_style", "gpt2"];

    /// <summary>Skips the test where the folder is absent.</summary>
    public static Tokenizer Load(string name)
    {
        string path = SharedData.Require("conformance", "tokenizers", name, "vocab.gguf");
        return Loaded.GetOrAdd(name, _ => new Lazy<Tokenizer>(() => Open(path))).Value;
    }

    public static Tokenizer Open(string path)
    {
        using GgufFile file = GgufFile.Open(path);
        return Tokenizer.FromGguf(file);
    }

    public static List<TokenizerCase> Cases(string name)
    {
        string path = SharedData.Require("conformance", "tokenizers", name, "cases.json");
        using FileStream stream = File.OpenRead(path);
        using JsonDocument document = JsonDocument.Parse(stream);
        return [.. document.RootElement.EnumerateArray().Select(TokenizerCase.Parse)];
    }
}

/// <summary>One case: a text, its ids and what they decode to.</summary>
internal sealed record TokenizerCase(string Category, string Text, int[] Ids, int[] IdsWithSpecial, string Decoded, string DecodedSkipSpecial)
{
    public static TokenizerCase Parse(JsonElement element) => new(
        element.GetProperty("category").GetString()!,
        element.GetProperty("text").GetString()!,
        [.. element.GetProperty("ids").EnumerateArray().Select(id => id.GetInt32())],
        [.. element.GetProperty("ids_with_special").EnumerateArray().Select(id => id.GetInt32())],
        element.GetProperty("decoded").GetString()!,
        element.GetProperty("decoded_skip_special").GetString()!);
}
