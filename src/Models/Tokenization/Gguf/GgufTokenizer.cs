namespace Inference.Models;

/// <summary>From GGUF metadata to a tokenizer; fills in what that format does not say.</summary>
internal static class GgufTokenizer
{
    /// <summary>Values of <c>tokenizer.ggml.model</c>.</summary>
    public const string SentencePiece = "llama", ByteLevel = "gpt2", Unigram = "t5";

    private const char Space = '▁';

    /// <exception cref="ModelFormatException">The file's tokenizer contradicts itself or is of a kind that is not supported.</exception>
    public static TokenizerDefinition Define(VocabularyData vocabulary)
    {
        Validate(vocabulary);
        return vocabulary.Model switch
        {
            SentencePiece => DefineSentencePiece(vocabulary),
            ByteLevel => DefineByteLevel(vocabulary),
            Unigram => DefineUnigram(vocabulary),
            _ => throw Error(vocabulary, "model", $"{SentencePiece}, {ByteLevel} or {Unigram}", vocabulary.Model),
        };
    }

    private static TokenizerDefinition DefineByteLevel(VocabularyData vocabulary)
    {
        string supported = string.Join(", ", GgufPreTokenization.Names);
        string name = vocabulary.Pre ?? throw Error(vocabulary, "pre", $"one of {supported}", "no such key");
        GgufPreTokenization pre = GgufPreTokenization.Find(name) ?? throw Error(vocabulary, "pre", $"one of {supported}", name);
        var pairs = new BytePairVocabulary(vocabulary.Tokens, TextIds(vocabulary), vocabulary.Merges?.Length ?? 0) { UnknownId = vocabulary.UnknownId };
        AddMerges(pairs, vocabulary, vocabulary.Merges ?? throw Error(vocabulary, "merges", "an array of string", "no such key"));
        var spellings = new TokenSpelling(vocabulary.Tokens, vocabulary.Types) { ByteLevel = true };
        return Common(vocabulary, spellings, new ByteLevelModel(pairs, pre.WholePiecesFirst), pre.AddsBos) with { Normalizer = pre.MakeNormalizer(), PreTokenizer = pre.PreTokenizer };
    }

    private static TokenizerDefinition DefineSentencePiece(VocabularyData vocabulary)
    {
        ByteFallback fallback = Bytes(vocabulary);
        var pairs = new BytePairVocabulary(vocabulary.Tokens, TextIds(vocabulary), vocabulary.Tokens.Length * 2) { UnknownId = RequireUnknown(vocabulary, fallback) };
        float[] scores = vocabulary.Scores ?? throw Error(vocabulary, "scores", "a score per token", "no such key");
        // Runs of spaces and newlines are user-defined in Gemma's vocabulary; SentencePiece takes them before anything merges, whatever their scores.
        PairMap merges = ScoredMerges.Make(pairs, [.. scores.Select((score, id) => vocabulary.Types[id] == TokenType.UserDefined ? float.PositiveInfinity : score)]);
        PrependScheme prefix = PrefixOf(vocabulary);
        TokenizerDefinition definition = Common(vocabulary, Spelling(vocabulary), new CharacterModel(pairs, merges, fallback), addBosByDefault: true);
        // The older ones put a space in front even where there is one.
        Normalizer spaces = new ReplaceNormalizer(" ", $"{Space}");
        return definition with
        {
            Normalizer = prefix == PrependScheme.First ? null : prefix == PrependScheme.Always ? new NormalizerSequence([new PrependNormalizer($"{Space}"), spaces]) : spaces,
            PreTokenizer = prefix == PrependScheme.First ? new Metaspace(Space, prefix, split: false) : null,
            Leading = prefix == PrependScheme.Never ? default : LeadingText.OneSpace,
        };
    }

    private static TokenizerDefinition DefineUnigram(VocabularyData vocabulary)
    {
        ByteFallback fallback = Bytes(vocabulary);
        float[] scores = vocabulary.Scores ?? throw Error(vocabulary, "scores", "a score per token", "no such key");
        int? unknown = RequireUnknown(vocabulary, fallback);
        bool IsText(int id) => vocabulary.Types[id] is TokenType.Normal or TokenType.Undefined;
        var model = new UnigramModel(vocabulary.Tokens, Array.ConvertAll(scores, score => (double)score), IsText, unknown, fallback.IsComplete ? fallback : null);
        var normalizers = new List<Normalizer>();
        if (vocabulary.CharacterMap is { Length: > 0 } map)
        {
            try
            {
                normalizers.Add(new CharacterMapNormalizer(map));
            }
            catch (FormatException exception)
            {
                throw Error(vocabulary, "precompiled_charsmap", "a character map", exception.Message);
            }
        }
        if (vocabulary.RemoveExtraSpaces == true) normalizers.Add(new SpaceCollapsingNormalizer());
        bool prefixed = vocabulary.AddSpacePrefix ?? true;
        return Common(vocabulary, Spelling(vocabulary), model, addBosByDefault: false) with
        {
            Normalizer = normalizers.Count == 0 ? null : new NormalizerSequence([.. normalizers]),
            PreTokenizer = new Metaspace(Space, prefixed ? PrependScheme.Always : PrependScheme.Never, split: true),
            Leading = prefixed ? LeadingText.OneSpace : default,
        };
    }

    private static TokenizerDefinition Common(VocabularyData vocabulary, TokenSpelling spelling, TokenModel model, bool addBosByDefault)
    {
        bool addBos = vocabulary.AddBos ?? (addBosByDefault && vocabulary.BosId is not null);
        bool addEos = vocabulary.AddEos ?? false;
        AddedToken[] added = SpecialTokens(vocabulary);
        return new TokenizerDefinition
        {
            Source = vocabulary.Source,
            Tokens = vocabulary.Tokens,
            Types = vocabulary.Types,
            Bytes = spelling.MakeTable(),
            RawTokens = added.Length > 0 ? new AddedTokens(added) : null,
            Model = model,
            Prefix = addBos ? [vocabulary.BosId ?? throw Error(vocabulary, "bos_token_id", "an id, since add_bos_token is true", "no such key")] : [],
            Suffix = addEos ? [vocabulary.EosId ?? throw Error(vocabulary, "eos_token_id", "an id, since add_eos_token is true", "no such key")] : [],
            BosId = vocabulary.BosId,
            EosId = vocabulary.EosId,
            EndOfGeneration = EndMarkers.Of(vocabulary.Tokens, vocabulary.Types, vocabulary.EosId, vocabulary.EotId, vocabulary.EomId),
        };
    }

    private static TokenSpelling Spelling(VocabularyData vocabulary) => new(vocabulary.Tokens, vocabulary.Types) { Space = Space };

    private static AddedToken[] SpecialTokens(VocabularyData vocabulary)
    {
        // Phi-3's role and end tokens swallow the white space after them. GGUF has no field for that, so the vocabulary is known by its placeholder tokens.
        bool phi3 = vocabulary.Model == SentencePiece && Array.IndexOf(vocabulary.Tokens, "<|placeholder1|>") >= 0;
        return [.. Enumerable.Range(0, vocabulary.Tokens.Length)
            .Where(id => vocabulary.Types[id] is TokenType.Control or TokenType.UserDefined or TokenType.Unknown && vocabulary.Tokens[id].Length > 0)
            .Select(id => new AddedToken(id, vocabulary.Tokens[id]) { TakesSpaceAfter = phi3 && vocabulary.Tokens[id] is not ("<unk>" or "<s>" or "<|endoftext|>") })];
    }

    /// <summary>Tokens that merging can give, by spelling; the first of equals. Merges may pass through user-defined tokens, but text goes before them.</summary>
    private static Dictionary<string, int> TextIds(VocabularyData vocabulary)
    {
        var ids = new Dictionary<string, int>(vocabulary.Tokens.Length, StringComparer.Ordinal);
        for (int id = 0; id < vocabulary.Tokens.Length; id++)
            if (vocabulary.Types[id] is TokenType.Normal or TokenType.Undefined && vocabulary.Tokens[id].Length > 0) ids.TryAdd(vocabulary.Tokens[id], id);
        for (int id = 0; id < vocabulary.Tokens.Length; id++)
            if (vocabulary.Types[id] == TokenType.UserDefined && vocabulary.Tokens[id].Length > 0) ids.TryAdd(vocabulary.Tokens[id], id);
        return ids;
    }

    private static void AddMerges(BytePairVocabulary pairs, VocabularyData vocabulary, string[] merges)
    {
        for (int i = 0; i < merges.Length; i++)
        {
            string merge = merges[i];
            int space = merge.IndexOf(' ');
            if (space <= 0 || space == merge.Length - 1 || merge.LastIndexOf(' ') != space) throw Error(vocabulary, $"merges[{i}]", "two tokens with a space between", $"\"{merge}\"");
            if (pairs.TryAddMerge(merge.AsSpan(0, space), merge.AsSpan(space + 1)) is { } missing)
                throw Error(vocabulary, $"merges[{i}]", $"parts and whole in the vocabulary, which lacks \"{missing}\"", $"\"{merge}\"");
        }
    }

    private static ByteFallback Bytes(VocabularyData vocabulary)
    {
        var fallback = new ByteFallback();
        for (int id = 0; id < vocabulary.Tokens.Length; id++)
            if (vocabulary.Types[id] == TokenType.Byte && ByteFallback.TryParse(vocabulary.Tokens[id], out byte value)) fallback.Add(value, id);
        return fallback;
    }

    private static int? RequireUnknown(VocabularyData vocabulary, ByteFallback fallback)
    {
        int unknown = Array.IndexOf(vocabulary.Types, TokenType.Unknown);
        int? id = vocabulary.UnknownId ?? (unknown >= 0 ? unknown : null);
        if (id is null && !fallback.IsComplete) throw Error(vocabulary, "unknown_token_id", "an id, since the byte tokens <0x00> to <0xFF> are incomplete", "no such key");
        return id;
    }

    /// <summary>
    /// GGUF's flag does not tell two rules apart. The tokenizers whose instruction marks are control tokens (Mistral v3 and later) add the space at the
    /// start of the text only; the older ones add it after every special token as well.
    /// </summary>
    private static PrependScheme PrefixOf(VocabularyData vocabulary)
    {
        if (vocabulary.AddSpacePrefix == false) return PrependScheme.Never;
        int mark = Array.IndexOf(vocabulary.Tokens, "[INST]");
        return mark >= 0 && vocabulary.Types[mark] == TokenType.Control ? PrependScheme.First : PrependScheme.Always;
    }

    private static void Validate(VocabularyData vocabulary)
    {
        int count = vocabulary.Tokens.Length;
        if (count == 0) throw Error(vocabulary, "tokens", "at least one token", "none");
        if (vocabulary.Types.Length != count) throw Error(vocabulary, "token_type", $"{count} entries, one per token", $"{vocabulary.Types.Length}");
        if (vocabulary.Scores is { } scores && scores.Length != count) throw Error(vocabulary, "scores", $"{count} entries, one per token", $"{scores.Length}");
        int bad = Array.FindIndex(vocabulary.Types, type => type is < TokenType.Undefined or > TokenType.Byte);
        if (bad >= 0) throw Error(vocabulary, $"token_type[{bad}]", "0 to 6", $"{(int)vocabulary.Types[bad]}");
        foreach (int? id in (ReadOnlySpan<int?>)[vocabulary.BosId, vocabulary.EosId, vocabulary.UnknownId, vocabulary.PaddingId, vocabulary.EotId, vocabulary.EomId])
            if (id is { } value && (uint)value >= (uint)count) throw Error(vocabulary, "*_token_id", $"ids below {count}", $"{value}");
    }

    private static ModelFormatException Error(VocabularyData vocabulary, string key, string expected, string found) => new(vocabulary.Source, VocabularyData.Key(key), expected, found);
}
