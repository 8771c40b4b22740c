namespace Inference.Models;

/// <summary>What tokenizer_config.json says beside a tokenizer.json.</summary>
internal sealed record TokenizerConfiguration
{
    /// <summary>Spelling of the token that begins a sequence.</summary>
    public string? Bos { get; init; }

    /// <summary>Spelling of the token that ends one.</summary>
    public string? Eos { get; init; }

    /// <summary>Added tokens by id.</summary>
    public JsonPart AddedTokens { get; init; }

    /// <summary>Reads the file; all is open where there is none.</summary>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    public static TokenizerConfiguration Read(string path)
    {
        if (!File.Exists(path)) return new TokenizerConfiguration();
        JsonPart root = JsonFile.Read(path);
        return new TokenizerConfiguration { Bos = Spelling(root["bos_token"]), Eos = Spelling(root["eos_token"]), AddedTokens = root["added_tokens_decoder"] };
    }

    /// <summary>A token is a string, or an object with it.</summary>
    private static string? Spelling(JsonPart part) => part.Value.ValueKind == System.Text.Json.JsonValueKind.Object ? part["content"].Text() : part.TextOrNull();
}
