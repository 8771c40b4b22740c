using System.Text;
using System.Text.Json.Nodes;

namespace Inference.Models.Tests;

/// <summary>Files of Hugging Face's format, small enough to derive ids by hand.</summary>
internal static class SmallTokenizerJson
{
    /// <summary>Byte-level BPE: the 256 bytes (id = value), then one token per merge.</summary>
    public static JsonObject ByteLevel(params string[] merges)
    {
        IEnumerable<string> merged = merges.Select(merge => merge.Replace(" ", "", StringComparison.Ordinal)).Distinct();
        return Make(
            BytePairs([.. Enumerable.Range(0, 256).Select(value => $"{ByteAlphabet.Character((byte)value)}"), .. merged], merges),
            """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true}""",
            """{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}""");
    }

    /// <summary>BPE over characters: the tokens in order, without a pre-tokenizer and with the decoder of SentencePiece.</summary>
    public static JsonObject Characters(string[] tokens, params string[] merges) =>
        Make(BytePairs(tokens, merges), null, """{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"}]}""");

    /// <summary>Unigram over words that begin with ▁.</summary>
    public static JsonObject Unigram(int? unknown, params (string Token, double Score)[] tokens)
    {
        var vocabulary = new JsonArray([.. tokens.Select(token => new JsonArray(token.Token, token.Score))]);
        return Make(new JsonObject { ["type"] = "Unigram", ["unk_id"] = unknown, ["vocab"] = vocabulary, ["byte_fallback"] = false }, Metaspace("always"), Metaspace("always"));
    }

    public static string Metaspace(string scheme, bool split = true) => $$"""{"type":"Metaspace","replacement":"▁","prepend_scheme":"{{scheme}}","split":{{(split ? "true" : "false")}}}""";

    /// <summary>Sets a part of the file; null removes it.</summary>
    public static JsonObject With(this JsonObject file, string part, string? json)
    {
        file[part] = json is null ? null : JsonNode.Parse(json);
        return file;
    }

    /// <summary>Sets an option of the model.</summary>
    public static JsonObject WithModel(this JsonObject file, string option, JsonNode? value)
    {
        file["model"]![option] = value;
        return file;
    }

    /// <summary>Adds a token with the given flags set.</summary>
    public static JsonObject WithToken(this JsonObject file, int id, string content, params string[] flags)
    {
        var token = new JsonObject { ["id"] = id, ["content"] = content };
        foreach (string flag in (string[])["single_word", "lstrip", "rstrip", "normalized", "special"]) token[flag] = flags.Contains(flag);
        file["added_tokens"]!.AsArray().Add((JsonNode)token);
        return file;
    }

    public static Tokenizer Open(this JsonObject file) => Open(Encoding.UTF8.GetBytes(file.ToJsonString()));

    public static Tokenizer Open(ReadOnlySpan<byte> bytes)
    {
        using var temp = new TempFile(bytes.ToArray());
        return new Tokenizer(TokenizerJson.Read(temp.Path));
    }

    private static JsonObject BytePairs(string[] tokens, string[] merges)
    {
        var vocabulary = new JsonObject();
        foreach (string token in tokens) vocabulary[token] = vocabulary.Count;
        return new JsonObject { ["type"] = "BPE", ["unk_token"] = null, ["byte_fallback"] = false, ["vocab"] = vocabulary, ["merges"] = new JsonArray([.. merges]) };
    }

    private static JsonObject Make(JsonObject model, string? preTokenizer, string? decoder) => new()
    {
        ["version"] = "1.0",
        ["added_tokens"] = new JsonArray(),
        ["normalizer"] = null,
        ["pre_tokenizer"] = preTokenizer is null ? null : JsonNode.Parse(preTokenizer),
        ["post_processor"] = null,
        ["decoder"] = decoder is null ? null : JsonNode.Parse(decoder),
        ["model"] = model,
    };
}
