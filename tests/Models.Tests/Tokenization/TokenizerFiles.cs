using System.Collections.Concurrent;
using System.Text.Json;
using Inference.Tests.Shared;

namespace Inference.Models.Tests;

/// <summary>Tokenizers and cases of <c>../shared/conformance/tokenizers</c>; each vocabulary is loaded once for all tests.</summary>
internal static class TokenizerFiles
{
    public const string Gguf = "vocab.gguf", Json = "tokenizer.json";

    private static readonly ConcurrentDictionary<(string, string), Lazy<Tokenizer>> Loaded = new();

    private static readonly string[] ByteLevelNames = ["deepseek_v3", "gpt2", "gpt35turbo", "gptoss", "llama3_1", "qwen3", "smollm_style"];
    private static readonly string[] SentencePieceNames = ["gemma3", "llama2", "mistral_v1", "mistral_v3", "phi3_style"];
    private static readonly string[] WithGguf = ["llama2", "mistral_v1", "mistral_v3", "phi3_style", "qwen3", "smollm_style", "gpt2"];

    /// <summary>Every vocabulary from every file that it comes in.</summary>
    public static TheoryData<string, string> All => Pair([.. ByteLevelNames, .. SentencePieceNames]);

    /// <summary>Those that give any text back as it was, but for Unicode normalisation.</summary>
    public static TheoryData<string, string> ByteLevel => Pair(ByteLevelNames);

    /// <summary>Skips the test where the folder is absent.</summary>
    public static Tokenizer Load(string name, string file)
    {
        string path = SharedData.Require("conformance", "tokenizers", name, file);
        return Loaded.GetOrAdd((name, file), _ => new Lazy<Tokenizer>(() => Tokenizer.Open(path))).Value;
    }

    public static List<TokenizerCase> Cases(string name)
    {
        string path = SharedData.Require("conformance", "tokenizers", name, "cases.json");
        using FileStream stream = File.OpenRead(path);
        using JsonDocument document = JsonDocument.Parse(stream);
        return [.. document.RootElement.EnumerateArray().Select(TokenizerCase.Parse)];
    }

    private static TheoryData<string, string> Pair(string[] names)
    {
        var pairs = new TheoryData<string, string>();
        foreach (string name in names)
        {
            pairs.Add(name, Json);
            if (WithGguf.Contains(name)) pairs.Add(name, Gguf);
        }
        return pairs;
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
