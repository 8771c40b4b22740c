using System.Collections.Frozen;

namespace Inference.Models;

/// <summary>The tokenizer of a Hugging Face folder: tokenizer.json, or else SentencePiece's tokenizer.model, with what the configurations beside them say.</summary>
internal static class FolderTokenizer
{
    private const string GenerationName = "generation_config.json", AddedName = "added_tokens.json";

    /// <summary>Score of tokens that no merge may give.</summary>
    private const float Unmergeable = -1000;

    /// <summary>Whether there is a file with a vocabulary.</summary>
    public static bool Exists(string folder) => File.Exists(Path.Combine(folder, TokenizerJson.FileName)) || File.Exists(Path.Combine(folder, SentencePieceModel.FileName));

    /// <summary>What to say of a folder without one.</summary>
    public static ModelFormatException Missing(string folder) => new(folder, "tokenizer", $"{TokenizerJson.FileName} or {SentencePieceModel.FileName}",
        File.Exists(Path.Combine(folder, "vocab.json")) ? "vocab.json, which is not read" : "neither");

    /// <param name="folder">The folder.</param>
    /// <param name="rows">Rows of the embedding: fewer tokens are filled up with such that stand for nothing, more are refused. Null: unknown.</param>
    /// <exception cref="ModelFormatException">There is none, it is damaged, or of a kind that is not supported.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static TokenizerDefinition Read(string folder, int? rows)
    {
        if (!Exists(folder)) throw Missing(folder);
        string json = Path.Combine(folder, TokenizerJson.FileName);
        TokenizerDefinition definition = File.Exists(json) ? TokenizerJson.Read(json, rows ?? TokenizerJson.MostTokens) : GgufTokenizer.Define(ReadSentencePiece(folder, rows ?? TokenizerJson.MostTokens));
        if (rows is { } wanted && definition.Tokens.Length < wanted)
        {
            int count = definition.Tokens.Length, more = wanted - count;
            definition = definition with
            {
                Tokens = [.. definition.Tokens, .. Enumerable.Repeat("", more)],
                Types = [.. definition.Types, .. Enumerable.Repeat(TokenType.Unused, more)],
                Bytes = definition.Bytes.Extended(count, wanted),
            };
        }
        return WithEnds(folder, definition);
    }

    /// <summary>The vocabulary of tokenizer.model with the tokens that were added to it, in the form that a GGUF file has.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="most">Most tokens: the rows of the embedding.</param>
    public static VocabularyData ReadSentencePiece(string folder, int most)
    {
        VocabularyData model = SentencePieceModel.Read(Path.Combine(folder, SentencePieceModel.FileName));
        string configurationPath = Path.Combine(folder, TokenizerJson.ConfigurationName);
        TokenizerConfiguration configuration = TokenizerConfiguration.Read(configurationPath);
        var added = new SortedDictionary<int, (string Text, bool Special)>();
        string addedPath = Path.Combine(folder, AddedName);
        if (File.Exists(addedPath))
            foreach ((string text, JsonPart id) in JsonFile.Read(addedPath).Members()) added[id.Integer()] = (text, false);
        if (configuration.AddedTokens.Exists)
            foreach ((string name, JsonPart token) in configuration.AddedTokens.Members()) added[AddedTokenReader.IdOf(name, token)] = (token["content"].Text(), token["special"].FlagOr(false));
        int count = Math.Max(model.Tokens.Length, added.Count == 0 ? 0 : added.Keys.Last() + 1);
        if (count > most || added.Keys.FirstOrDefault() < 0) throw new ModelFormatException(model.Source, "pieces", $"ids below {most}, the rows of the embedding", added.Keys.FirstOrDefault() < 0 ? $"{added.Keys.First()}" : $"{count} tokens");

        string[] tokens = [.. model.Tokens, .. Enumerable.Repeat("", count - model.Tokens.Length)];
        TokenType[] types = [.. model.Types, .. Enumerable.Repeat(TokenType.Unused, count - model.Types.Length)];
        float[] scores = [.. model.Scores!, .. Enumerable.Repeat(Unmergeable, count - model.Scores!.Length)];
        foreach ((int id, (string text, bool special)) in added)
        {
            // A piece of the model that is listed again keeps what it is there.
            if (id < model.Tokens.Length && tokens[id] == text && types[id] != TokenType.Normal) continue;
            tokens[id] = text;
            types[id] = special ? TokenType.Control : TokenType.UserDefined;
            scores[id] = Unmergeable;
        }
        int? Find(string? text) => text is not null && Array.IndexOf(tokens, text) is >= 0 and var id ? id : null;
        int? Require(string name, string? text) => text is null || Find(text) is not null ? Find(text) : throw new ModelFormatException(configurationPath, name, "a token of the vocabulary", $"\"{text}\"");
        return model with
        {
            Tokens = tokens,
            Types = types,
            Scores = scores,
            BosId = Require("bos_token", configuration.Bos) ?? model.BosId,
            EosId = Require("eos_token", configuration.Eos) ?? model.EosId,
            UnknownId = Find(configuration.Unknown) ?? model.UnknownId,
            PaddingId = Find(configuration.Padding) ?? model.PaddingId,
            AddBos = configuration.AddBos,
            AddEos = configuration.AddEos,
            AddSpacePrefix = configuration.AddPrefixSpace ?? model.AddSpacePrefix,
        };
    }

    /// <summary>Adds the ids that config.json and generation_config.json name.</summary>
    private static TokenizerDefinition WithEnds(string folder, TokenizerDefinition definition)
    {
        var ends = new HashSet<int>(definition.EndOfGeneration);
        foreach (string name in (string[])[ModelConfiguration.FileName, GenerationName])
        {
            string path = Path.Combine(folder, name);
            if (!File.Exists(path)) continue;
            foreach (int id in ModelConfiguration.ReadEndIds(JsonFile.Read(path)))
            {
                // Some writers store -1 for "none".
                if (id == -1) continue;
                if ((uint)id >= (uint)definition.Tokens.Length) throw new ModelFormatException(path, "eos_token_id", $"ids below {definition.Tokens.Length}", $"{id}");
                ends.Add(id);
            }
        }
        return definition with { EndOfGeneration = ends.ToFrozenSet() };
    }
}
