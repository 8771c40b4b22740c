namespace Inference.Models;

/// <summary>The tokenizer's part of a model file, read but not yet interpreted. Ids index <see cref="Tokens"/>.</summary>
internal sealed record VocabularyData
{
    /// <summary>Path of the file, for messages.</summary>
    public required string Source { get; init; }

    /// <summary>Family: <c>llama</c> (SentencePiece BPE), <c>gpt2</c> (byte-level BPE) or <c>t5</c> (unigram).</summary>
    public required string Model { get; init; }

    /// <summary>Name of the pre-tokenization, which byte-level BPE needs.</summary>
    public string? Pre { get; init; }

    /// <summary>Spelling of each token as the file has it: <c>▁</c> for a space (llama), or one character per byte (gpt2).</summary>
    public required string[] Tokens { get; init; }

    /// <summary>Type of each token.</summary>
    public required TokenType[] Types { get; init; }

    /// <summary>Merge priority of each token, higher first (llama).</summary>
    public float[]? Scores { get; init; }

    /// <summary>Pairs "left right", the first merges first (gpt2).</summary>
    public string[]? Merges { get; init; }

    /// <summary>SentencePiece's precompiled character map (t5).</summary>
    public byte[]? CharacterMap { get; init; }

    /// <summary>Whether runs of spaces become one and those at the ends none (t5).</summary>
    public bool? RemoveExtraSpaces { get; init; }

    public int? BosId { get; init; }

    public int? EosId { get; init; }

    public int? UnknownId { get; init; }

    public int? PaddingId { get; init; }

    /// <summary>End of turn.</summary>
    public int? EotId { get; init; }

    /// <summary>End of message.</summary>
    public int? EomId { get; init; }

    /// <summary>Whether a prompt begins with <see cref="BosId"/>; null where the file does not say, and the family decides.</summary>
    public bool? AddBos { get; init; }

    /// <summary>Whether a prompt ends with <see cref="EosId"/>; default false.</summary>
    public bool? AddEos { get; init; }

    /// <summary>Whether SentencePiece puts a space before the text; default true.</summary>
    public bool? AddSpacePrefix { get; init; }

    /// <exception cref="ModelFormatException">A key is missing, of another type, or contradicts another.</exception>
    public static VocabularyData Read(GgufFile file)
    {
        string[] tokens = file.RequireStringArray(Key("tokens"));
        int? Id(string name)
        {
            if (!file.TryGetInteger(Key(name), out long id)) return null;
            // Some writers store -1 for "none".
            if (id is -1 or uint.MaxValue) return null;
            return id >= 0 && id < tokens.Length ? (int)id : throw new ModelFormatException(file.Path, Key(name), $"an id below {tokens.Length}", $"{id}");
        }
        bool? Flag(string name) => file.TryGetBool(Key(name), out bool value) ? value : null;
        var data = new VocabularyData
        {
            Source = file.Path,
            Model = file.RequireString(Key("model")),
            Pre = file.TryGetString(Key("pre"), out string? pre) ? pre : null,
            Tokens = tokens,
            Types = [],
            Scores = file.TryGetFloatArray(Key("scores")),
            Merges = file.TryGetStringArray(Key("merges")),
            BosId = Id("bos_token_id"),
            EosId = Id("eos_token_id"),
            UnknownId = Id("unknown_token_id"),
            PaddingId = Id("padding_token_id"),
            EotId = Id("eot_token_id"),
            EomId = Id("eom_token_id"),
            AddBos = Flag("add_bos_token"),
            AddEos = Flag("add_eos_token"),
            AddSpacePrefix = Flag("add_space_prefix"),
            RemoveExtraSpaces = Flag("remove_extra_whitespaces"),
        };
        if (data.Model == GgufTokenizer.Unigram && file.TryGetIntArray(Key("precompiled_charsmap")) is { } map) data = data with { CharacterMap = Array.ConvertAll(map, value => unchecked((byte)value)) };
        int[]? types = file.TryGetIntArray(Key("token_type"));
        return data with { Types = types is null ? data.GuessTypes() : Array.ConvertAll(types, type => (TokenType)type) };
    }

    /// <summary>Full metadata key of a tokenizer setting.</summary>
    public static string Key(string name) => "tokenizer.ggml." + name;

    /// <summary>What the optional <c>token_type</c> would say, as far as the other keys tell.</summary>
    private TokenType[] GuessTypes()
    {
        var types = new TokenType[Tokens.Length];
        for (int id = 0; id < types.Length; id++)
        {
            if (id == UnknownId) types[id] = TokenType.Unknown;
            else if (id == BosId || id == EosId || id == EotId || id == EomId || id == PaddingId) types[id] = TokenType.Control;
            else types[id] = Model != GgufTokenizer.ByteLevel && ByteFallback.TryParse(Tokens[id], out _) ? TokenType.Byte : TokenType.Normal;
        }
        return types;
    }
}
