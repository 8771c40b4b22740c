namespace Inference.Models;

/// <summary>The tokenizer of a Hugging Face folder in the form that GGUF files have.</summary>
internal static class FolderVocabulary
{
    /// <summary>
    /// Text in which every pre-tokenization that has a name cuts differently from the others: contractions, runs of digits, white space and symbols, cases,
    /// several scripts, marks that compose.
    /// </summary>
    private const string Probe =
        "I'll they'RE don't we've\n\n  \n\t 3.14159 1234567 a1b22c333 ² Ⅷ ١٢٣٤ camelCaseHTMLParser SNAKE_CASE snake_case x==y != z; //comment\r\n\r\n'quoted'  \"double\" (a)[b]{c} --- ... !!! ?!"
        + " e\u0301te\u0301 été naïve Ångström Ελληνικά Привет мир שלום עולם مرحبا नमस्ते 你好，世界 日本語テスト 한국어 😀👍🏽 $100 €50 50% a+b=c `code` ~tilde^caret|pipe <tag> </s>   end \n/path/to\n";

    /// <param name="folder">The folder.</param>
    /// <param name="rows">Rows of the embedding: ids without a token get a name that stands for nothing.</param>
    /// <exception cref="ModelFormatException">There is no tokenizer, or GGUF has no words for it.</exception>
    public static VocabularyData Read(string folder, int rows)
    {
        if (!FolderTokenizer.Exists(folder)) throw FolderTokenizer.Missing(folder);
        VocabularyData vocabulary = File.Exists(Path.Combine(folder, SentencePieceModel.FileName))
            ? FolderTokenizer.ReadSentencePiece(folder, rows) with { Pre = "default" }
            : OfJson(Path.Combine(folder, TokenizerJson.FileName), rows);
        return Padded(vocabulary, rows);
    }

    private static VocabularyData OfJson(string path, int rows)
    {
        TokenizerDefinition definition = TokenizerJson.Read(path, rows);
        JsonPart model = JsonFile.Read(path)["model"];
        // Old files leave the type out.
        if (model["type"] is { Exists: true } type && type.Text() != "BPE") throw type.Error("BPE, the only one that is converted");
        string[] merges = [.. model["merges"].Elements().Select(Merge)];
        TokenizerConfiguration configuration = TokenizerConfiguration.Read(Path.Combine(Path.GetDirectoryName(path) ?? "", TokenizerJson.ConfigurationName));
        var vocabulary = new VocabularyData
        {
            Source = path,
            Model = definition.Model is ByteLevelModel ? GgufTokenizer.ByteLevel : GgufTokenizer.SentencePiece,
            Tokens = definition.Tokens,
            Types = definition.Types,
            BosId = definition.BosId,
            EosId = definition.EosId,
            UnknownId = Find(configuration.Unknown),
            PaddingId = Find(configuration.Padding),
            AddBos = Adds(definition.Prefix, definition.BosId, "begin"),
            AddEos = Adds(definition.Suffix, definition.EosId, "end"),
        };
        if (vocabulary.Model == GgufTokenizer.SentencePiece)
        {
            vocabulary = vocabulary with { Pre = "default", Scores = Scores(definition.Tokens, merges), Types = WithUnknown(definition.Types, vocabulary.UnknownId) };
            bool[] prefixes = [true, false];
            foreach (bool prefix in prefixes)
                if (IsSame(definition, vocabulary with { AddSpacePrefix = prefix })) return vocabulary with { AddSpacePrefix = prefix };
            throw new ModelFormatException(path, "model", "a tokenizer that a GGUF file can describe", "one that cuts a sample text otherwise");
        }
        vocabulary = vocabulary with { Merges = merges };
        foreach (string name in GgufPreTokenization.Names.DistinctBy(GgufPreTokenization.Find))
            if (IsSame(definition, vocabulary with { Pre = name })) return vocabulary with { Pre = name };
        throw new ModelFormatException(path, "pre_tokenizer", $"one that GGUF has a name for: {string.Join(", ", GgufPreTokenization.Names.DistinctBy(GgufPreTokenization.Find))}", "one that cuts a sample text like none of them");

        int? Find(string? text) => text is not null && Array.IndexOf(definition.Tokens, text) is >= 0 and var id ? id : null;

        bool Adds(int[] ids, int? id, string where) => ids.Length == 0 ? false : ids is [var only] && only == id ? true : throw new ModelFormatException(path, "post_processor", $"at most the {where} token", $"ids {string.Join(", ", ids)}");
    }

    /// <summary>Whether the tokenizer that a GGUF file would give cuts the sample as the folder's own does.</summary>
    private static bool IsSame(TokenizerDefinition definition, VocabularyData vocabulary)
    {
        int[] own = new Tokenizer(definition).Encode(Probe, addSpecial: false, parseSpecial: false);
        return own.AsSpan().SequenceEqual(new Tokenizer(GgufTokenizer.Define(vocabulary)).Encode(Probe, addSpecial: false, parseSpecial: false));
    }

    /// <summary>A merge is a string with a space in it, or in newer files two strings.</summary>
    private static string Merge(JsonPart merge)
    {
        if (merge.Value.ValueKind == System.Text.Json.JsonValueKind.String) return merge.Text();
        string[] parts = [.. merge.Elements().Select(part => part.Text())];
        if (parts.Length != 2 || parts.Any(part => part.Contains(' '))) throw merge.Error("two tokens without spaces");
        return string.Join(' ', parts);
    }

    /// <summary>SentencePiece merges by the score of what comes out: the earlier a merge, the higher. What no merge gives comes last.</summary>
    private static float[] Scores(string[] tokens, string[] merges)
    {
        var ranks = new Dictionary<string, int>(merges.Length, StringComparer.Ordinal);
        for (int i = 0; i < merges.Length; i++) ranks.TryAdd(merges[i].Replace(" ", "", StringComparison.Ordinal), i);
        return Array.ConvertAll(tokens, token => -(float)ranks.GetValueOrDefault(token, merges.Length));
    }

    private static TokenType[] WithUnknown(TokenType[] types, int? unknown)
    {
        if (unknown is not { } id) return types;
        TokenType[] changed = [.. types];
        changed[id] = TokenType.Unknown;
        return changed;
    }

    /// <summary>Every row of the embedding has a token, and every token a name of its own: readers look ids up by it.</summary>
    private static VocabularyData Padded(VocabularyData vocabulary, int rows)
    {
        int count = vocabulary.Tokens.Length;
        if (count > rows) throw new ModelFormatException(vocabulary.Source, "tokens", $"at most {rows}, the rows of the embedding", $"{count}");
        var tokens = new string[rows];
        var types = new TokenType[rows];
        for (int id = 0; id < rows; id++)
        {
            bool unused = id >= count || vocabulary.Types[id] == TokenType.Unused;
            tokens[id] = unused && (id >= count || vocabulary.Tokens[id].Length == 0) ? $"[PAD{id}]" : vocabulary.Tokens[id];
            types[id] = unused ? TokenType.Unused : vocabulary.Types[id];
        }
        float[]? scores = vocabulary.Scores is { } known ? [.. known, .. Enumerable.Repeat(-1000f, rows - count)] : null;
        return vocabulary with { Tokens = tokens, Types = types, Scores = scores };
    }
}
