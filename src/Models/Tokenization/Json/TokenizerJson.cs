using System.Text.Json;

namespace Inference.Models;

/// <summary>From Hugging Face's tokenizer.json, and the tokenizer_config.json beside it, to a tokenizer.</summary>
internal static class TokenizerJson
{
    public const string FileName = "tokenizer.json", ConfigurationName = "tokenizer_config.json";

    /// <summary>No vocabulary comes near; a file that names a higher id would only exhaust memory.</summary>
    public const int MostTokens = 1 << 22;

    /// <param name="path">The file.</param>
    /// <param name="most">Ids are below this: the rows of the embedding, where they are known.</param>
    /// <exception cref="ModelFormatException">The file is damaged or uses what is not supported.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static TokenizerDefinition Read(string path, int most = MostTokens) => JsonFile.Guard(path, () =>
    {
        ReadOnlyMemory<byte> bytes = JsonFile.ReadBytes(path);
        // An entry takes six bytes at least, so that only a file with great gaps is refused, before memory for them is taken.
        return new TokenizerJsonReader(path, bytes, Math.Min(most, bytes.Length / 4 + (1 << 18))).Read();
    });
}

/// <summary>One reading of a tokenizer.json.</summary>
internal sealed class TokenizerJsonReader(string path, ReadOnlyMemory<byte> bytes, int most)
{
    private readonly Dictionary<string, JsonPart> parts = new(StringComparer.Ordinal);
    private readonly AddedTokenReader added = new(most);
    private string?[] spellings = [];
    private string[] tokens = [];
    private TokenType[] types = [];

    private JsonPart this[string name] => parts.TryGetValue(name, out JsonPart part) ? part : new JsonPart(path, name, default);

    public TokenizerDefinition Read()
    {
        TokenizerConfiguration configuration = TokenizerConfiguration.Read(Path.Combine(Path.GetDirectoryName(path) ?? "", TokenizerJson.ConfigurationName));
        ModelSection model = ReadParts() ?? throw new ModelFormatException(path, "model", "an object", "no such key");
        added.ReadList(this["added_tokens"], model.Ids);
        added.ReadConfiguration(configuration.AddedTokens, model.Ids);
        Normalizer? normalizer = NormalizerReader.Read(this["normalizer"]);
        MakeTokens(model, normalizer);
        var preTokenizerReader = new PreTokenizerReader();
        PreTokenizer? preTokenizer = preTokenizerReader.Read(this["pre_tokenizer"]);
        var decoder = new DecoderReader();
        decoder.Read(this["decoder"]);
        var postProcessor = new PostProcessorReader();
        postProcessor.Read(this["post_processor"]);
        CheckIds(postProcessor.Prefix);
        CheckIds(postProcessor.Suffix);
        int? bos = Find(configuration.Bos, model), eos = Find(configuration.Eos, model);
        return new TokenizerDefinition
        {
            Source = path,
            Tokens = tokens,
            Types = types,
            Bytes = decoder.MakeTable(spellings),
            RawTokens = added.Make(normalized: false, normalizer),
            NormalizedTokens = added.Make(normalized: true, normalizer),
            Normalizer = normalizer,
            PreTokenizer = preTokenizer,
            Model = new TokenModelReader(path, bytes, model, tokens, types).Read(preTokenizerReader.IsByteLevel),
            Prefix = postProcessor.Prefix,
            Suffix = postProcessor.Suffix,
            BosId = bos,
            EosId = eos,
            EndOfGeneration = EndMarkers.Of(tokens, types, eos),
            Leading = decoder.MakeLeading(spellings),
        };
    }

    private ModelSection? ReadParts()
    {
        var reader = new Utf8JsonReader(bytes.Span);
        ModelSection? model = null;
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) throw new ModelFormatException(path, "file", "an object", reader.TokenType.ToString());
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string name = reader.GetString()!;
            reader.Read();
            if (name == "model") model = ModelSection.Read(path, most, ref reader);
            else parts[name] = new JsonPart(path, name, JsonElement.ParseValue(ref reader));
        }
        reader.Read();
        return model;
    }

    private void MakeTokens(ModelSection model, Normalizer? normalizer)
    {
        int count = 0;
        foreach (int id in model.Ids.Values) count = Math.Max(count, id + 1);
        foreach ((AddedToken token, bool _, bool _) in added.Tokens) count = Math.Max(count, token.Id + 1);
        if (count == 0) throw new ModelFormatException(path, "model.vocab", "at least one token", "none");
        spellings = new string?[count];
        types = new TokenType[count];
        bool fallback = model["byte_fallback"].FlagOr(false);
        foreach ((string token, int id) in model.Ids)
        {
            spellings[id] = token;
            types[id] = fallback && ByteFallback.TryParse(token, out _) ? TokenType.Byte : TokenType.Normal;
        }
        foreach ((AddedToken token, bool normalized, bool special) in added.Tokens)
        {
            string spelling = AddedTokenReader.Spelling(token, normalized, normalizer);
            spellings[token.Id] = spelling;
            // The reference knows special tokens by their spelling, and no longer knows one that normalisation has changed.
            types[token.Id] = special && spelling == token.Text ? TokenType.Control : TokenType.UserDefined;
        }
        tokens = Array.ConvertAll(spellings, spelling => spelling ?? "");
        for (int id = 0; id < count; id++)
            if (spellings[id] is null) types[id] = TokenType.Unused;
    }

    private int? Find(string? spelling, ModelSection model)
    {
        if (spelling is null) return null;
        foreach ((AddedToken token, bool _, bool _) in added.Tokens)
            if (token.Text == spelling) return token.Id;
        return model.Ids.TryGetValue(spelling, out int id) ? id : null;
    }

    private void CheckIds(int[] ids)
    {
        foreach (int id in ids)
            if ((uint)id >= (uint)tokens.Length) throw new ModelFormatException(path, "post_processor", $"ids below {tokens.Length}", $"{id}");
    }
}
