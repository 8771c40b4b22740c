namespace Inference.Models;

/// <summary>What tokenizer_config.json says beside a tokenizer.json.</summary>
internal sealed record TokenizerConfiguration
{
    /// <summary>Spelling of the token that begins a sequence.</summary>
    public string? Bos { get; init; }

    /// <summary>Spelling of the token that ends one.</summary>
    public string? Eos { get; init; }

    /// <summary>Spelling of the token for what the vocabulary cannot spell.</summary>
    public string? Unknown { get; init; }

    /// <summary>Spelling of the token that fills up batches.</summary>
    public string? Padding { get; init; }

    /// <summary>Whether a prompt begins with <see cref="Bos"/>; null where the file does not say.</summary>
    public bool? AddBos { get; init; }

    /// <summary>Whether a prompt ends with <see cref="Eos"/>; null where the file does not say.</summary>
    public bool? AddEos { get; init; }

    /// <summary>Whether a space is put before the text; null where the file does not say.</summary>
    public bool? AddPrefixSpace { get; init; }

    /// <summary>Added tokens by id.</summary>
    public JsonPart AddedTokens { get; init; }

    /// <summary>Reads the file; all is open where there is none.</summary>
    /// <exception cref="ModelFormatException">The file is damaged.</exception>
    public static TokenizerConfiguration Read(string path)
    {
        if (!File.Exists(path)) return new TokenizerConfiguration();
        JsonPart root = JsonFile.Read(path);
        bool? Flag(string name) => root[name] is { Exists: true } part ? part.Flag() : null;
        return new TokenizerConfiguration
        {
            Bos = Spelling(root["bos_token"]),
            Eos = Spelling(root["eos_token"]),
            Unknown = Spelling(root["unk_token"]),
            Padding = Spelling(root["pad_token"]),
            AddBos = Flag("add_bos_token"),
            AddEos = Flag("add_eos_token"),
            AddPrefixSpace = Flag("add_prefix_space"),
            AddedTokens = root["added_tokens_decoder"],
        };
    }

    /// <summary>A token is a string, or an object with it.</summary>
    private static string? Spelling(JsonPart part) => part.Value.ValueKind == System.Text.Json.JsonValueKind.Object ? part["content"].Text() : part.TextOrNull();
}
