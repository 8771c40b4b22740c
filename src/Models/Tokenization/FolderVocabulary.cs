namespace Inference.Models;

/// <summary>
/// The tokenizer of a Hugging Face folder in the form that GGUF files have, for writing one. GGUF names a way to cut text where tokenizer.json spells it out, so
/// the name is found by trying: what gives other ids than the folder's own tokenizer is not written.
/// </summary>
internal static class FolderVocabulary
{
    /// <summary>What tells the known ways apart: contractions, runs of digits, spaces, newlines and signs, scripts, a decomposed accent, characters above U+FFFF.</summary>
    private const string Probe = "Hello, WORLD! I'm we'LL don'T 1234567 3.14  two   spaces \n\n\nnew\r\nlines\t\ttabs  \n indented caf\u00e9 cafe\u0301 日本語のテスト、한국어 🙂🙂 русский ABCdef camelCase snake_case "
        + "<tag a=\"b\">a/b\\c</tag> «q» $5+6=11 ....---- ½² １２３ (((( ==== x\u3000y don\u2019t //\n\n  end  "
        + "I'll they'RE don't we've\n\n  \n\t a1b22c333 Ⅷ ١٢٣٤ camelCaseHTMLParser SNAKE_CASE x==y != z; //comment\r\n\r\n'quoted'  \"double\" (a)[b]{c} --- ... !!! ?! e\u0301te\u0301 naïve Ångström Ελληνικά "
        + "שלום עולם مرحبا नमस्ते 你好，世界 👍🏽 $100 €50 50% a+b=c `code` ~tilde^caret|pipe </s>   end \n/path/to\n";

    /// <summary>What llama.cpp's converter writes for SentencePiece, where nothing is cut.</summary>
    private const string SentencePiecePre = "default";

    /// <param name="folder">The folder.</param>
    /// <param name="rows">Rows of the embedding: GGUF wants a token for each.</param>
    /// <exception cref="ModelFormatException">The tokenizer is absent, damaged, or none that a GGUF file can hold.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static VocabularyData Read(string folder, int rows)
    {
        TokenizerDefinition definition = FolderTokenizer.Read(folder, rows);
        string json = Path.Combine(folder, TokenizerJson.FileName);
        // SentencePiece's own file is the original where both are there.
        if (!File.Exists(Path.Combine(folder, SentencePieceModel.FileName))) return ReadJson(json, definition);
        VocabularyData data = Filled(FolderTokenizer.ReadSentencePiece(folder, rows), rows) with { Pre = SentencePiecePre };
        return WithEnds(data, definition);
    }

    private static VocabularyData ReadJson(string path, TokenizerDefinition definition)
    {
        JsonPart model = JsonFile.Read(path)["model"];
        var data = new VocabularyData
        {
            Source = path,
            Model = definition.Model switch { ByteLevelModel => GgufTokenizer.ByteLevel, CharacterModel => GgufTokenizer.SentencePiece, _ => GgufTokenizer.Unigram },
            Tokens = definition.Tokens,
            Types = definition.Types,
            BosId = definition.BosId,
            EosId = definition.EosId,
            AddBos = Adds(path, definition.Prefix, definition.BosId),
            AddEos = Adds(path, definition.Suffix, definition.EosId),
        };
        data = Filled(data, data.Tokens.Length);
        var ids = new Dictionary<string, int>(data.Tokens.Length, StringComparer.Ordinal);
        for (int id = 0; id < data.Tokens.Length; id++) ids.TryAdd(data.Tokens[id], id);
        if (model["unk_token"].TextOrNull() is { } unknown && ids.TryGetValue(unknown, out int unknownId)) data = data with { UnknownId = unknownId };
        if (model["unk_id"] is { Exists: true } part) data = data with { UnknownId = part.Integer() };
        data = data.Model switch
        {
            GgufTokenizer.ByteLevel => data with { Merges = [.. Merges(model).Select(merge => $"{merge.Left} {merge.Right}")] },
            GgufTokenizer.SentencePiece => data with { Pre = SentencePiecePre, Scores = ScoresByRank(model, ids) },
            _ => data with { Scores = [.. model["vocab"].Elements().Select(piece => (float)piece.Elements().Last().Number()), .. new float[data.Tokens.Length]], RemoveExtraSpaces = false },
        };
        if (data.Scores is { } scores) data = data with { Scores = scores[..data.Tokens.Length] };
        data = WithEnds(data, definition);
        IEnumerable<VocabularyData> candidates = data.Model == GgufTokenizer.ByteLevel
            ? GgufPreTokenization.Distinct.Where(known => known.Pre.WholePiecesFirst == model["ignore_merges"].FlagOr(false)).Select(known => data with { Pre = known.Name })
            : ((bool[])[true, false]).SelectMany(_ => (bool[])[false, true], (prefix, spaces) => data with { AddSpacePrefix = prefix, RemoveExtraSpaces = spaces });
        int[] expected = new Tokenizer(definition).Encode(Probe, addSpecial: true, parseSpecial: false);
        return candidates.FirstOrDefault(candidate => Tokenizer.Create(candidate).Encode(Probe, addSpecial: true, parseSpecial: false).AsSpan().SequenceEqual(expected))
            ?? throw new ModelFormatException(path, "tokenizer", $"a way to cut text that GGUF has a name for ({string.Join(", ", GgufPreTokenization.Distinct.Select(known => known.Name))})", "another: a GGUF file of it would tokenize otherwise");
    }

    /// <summary>Whether exactly that token is put around a text; GGUF can say no more.</summary>
    private static bool Adds(string path, int[] added, int? id) => added switch
    {
        [] => false,
        [var one] when one == id => true,
        _ => throw new ModelFormatException(path, "post_processor", "at most the begin and the end token around a text, since GGUF has no more", $"{added.Length} tokens"),
    };

    private static IEnumerable<(string Left, string Right)> Merges(JsonPart model)
    {
        foreach (JsonPart merge in model["merges"].Elements())
        {
            string[] parts = merge.Value.ValueKind == System.Text.Json.JsonValueKind.String ? merge.Text().Split(' ') : [.. merge.Elements().Select(p => p.Text())];
            if (parts.Length != 2 || parts.Any(p => p.Length == 0 || p.Contains(' ', StringComparison.Ordinal))) throw merge.Error("two tokens without spaces");
            yield return (parts[0], parts[1]);
        }
    }

    /// <summary>The rank of the first merge that makes a token, negative: the higher merges first.</summary>
    private static float[] ScoresByRank(JsonPart model, Dictionary<string, int> ids)
    {
        float[] scores = new float[ids.Count == 0 ? 0 : ids.Values.Max() + 1];
        int rank = 0;
        foreach ((string left, string right) in Merges(model))
        {
            rank++;
            if (ids.TryGetValue(left + right, out int id) && scores[id] == 0) scores[id] = -rank;
        }
        // What no merge makes has the lowest score; it is never asked for.
        for (int id = 0; id < scores.Length; id++)
            if (scores[id] == 0) scores[id] = -rank - 1;
        return scores;
    }

    /// <summary>A token for every row: GGUF's tools spell those that stand for nothing [PADn].</summary>
    private static VocabularyData Filled(VocabularyData data, int rows)
    {
        int more = rows - data.Tokens.Length;
        string[] tokens = [.. data.Tokens, .. Enumerable.Repeat("", more)];
        TokenType[] types = [.. data.Types, .. Enumerable.Repeat(TokenType.Unused, more)];
        for (int id = 0; id < rows; id++)
            if (types[id] == TokenType.Unused && tokens[id].Length == 0) tokens[id] = $"[PAD{id}]";
        return data with { Tokens = tokens, Types = types, Scores = data.Scores is null ? null : [.. data.Scores, .. Enumerable.Repeat(-1000f, more)] };
    }

    /// <summary>End ids that neither the end token nor a known spelling gives go where GGUF has room for two.</summary>
    private static VocabularyData WithEnds(VocabularyData data, TokenizerDefinition definition)
    {
        int[] more = [.. definition.EndOfGeneration.Except(EndMarkers.Of(data.Tokens, data.Types, data.EosId)).Order()];
        return data with { EotId = more.Length > 0 ? more[0] : null, EomId = more.Length > 1 ? more[1] : null };
    }
}
