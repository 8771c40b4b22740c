namespace Inference.Models;

/// <summary>Makes the model of a tokenizer.json.</summary>
internal sealed class TokenModelReader(string path, ReadOnlyMemory<byte> bytes, ModelSection model, string[] tokens, TokenType[] types)
{
    /// <param name="byteLevel">Pieces are spelled in bytes.</param>
    public TokenModel Read(bool byteLevel)
    {
        // Old files leave the type out.
        string type = model["type"] is { Exists: true } given ? given.Text() : model.HasMerges ? "BPE" : model.Scores is not null ? "Unigram" : "";
        return type switch
        {
            "BPE" => ReadBytePairs(byteLevel),
            "Unigram" => ReadUnigram(byteLevel),
            _ => throw model["type"].Error("BPE or Unigram"),
        };
    }

    private TokenModel ReadBytePairs(bool byteLevel)
    {
        if (model.Scores is not null) throw new ModelFormatException(path, "model.vocab", "an object of ids, as BPE has", "an array of scored tokens");
        if (!model.HasMerges) throw new ModelFormatException(path, "model.merges", "an array", "no such key");
        foreach (string affix in (ReadOnlySpan<string>)["continuing_subword_prefix", "end_of_word_suffix"])
            if (model[affix].TextOrNull() is { Length: > 0 }) throw model[affix].Error("no affix, since words with affixes are not supported");
        int? unknown = model["unk_token"].TextOrNull() is { } spelling ? model.Ids.TryGetValue(spelling, out int id) ? id : throw model["unk_token"].Error("a token of the vocabulary") : null;
        var pairs = new BytePairVocabulary(tokens, model.Ids, model.Ids.Count) { UnknownId = unknown };
        model.ReadMerges(bytes.Span, pairs);
        bool wholeFirst = model["ignore_merges"].FlagOr(false);
        RemoveControlTokens();
        if (byteLevel) return new ByteLevelModel(pairs, wholeFirst);
        return new CharacterModel(pairs, pairs.MakeMap(), Fallback()) { FusesUnknown = model["fuse_unk"].FlagOr(false), WholePiecesFirst = wholeFirst };
    }

    private UnigramModel ReadUnigram(bool byteLevel)
    {
        if (byteLevel) throw new ModelFormatException(path, "model.type", "BPE, since the pre-tokenizer is ByteLevel", "Unigram");
        if (model.Scores is null) throw new ModelFormatException(path, "model.vocab", "an array of scored tokens", "an object");
        JsonPart unknownPart = model["unk_id"];
        int? unknown = unknownPart.Exists ? unknownPart.Integer() : null;
        if (unknown is { } id && (uint)id >= (uint)model.Scores.Count) throw unknownPart.Error($"an id below {model.Scores.Count}");
        double[] scores = [.. model.Scores, .. new double[tokens.Length - model.Scores.Count]];
        double least = model.Scores.DefaultIfEmpty().Min();
        scores.AsSpan(model.Scores.Count).Fill(least);
        int known = model.Scores.Count;
        return new UnigramModel(tokens, scores, token => token < known && token != unknown && types[token] != TokenType.Control && tokens[token].Length > 0, unknown, Fallback());
    }

    private ByteFallback? Fallback()
    {
        if (!model["byte_fallback"].FlagOr(false)) return null;
        var fallback = new ByteFallback();
        for (int id = 0; id < tokens.Length; id++)
            if (ByteFallback.TryParse(tokens[id], out byte value)) fallback.Add(value, id);
        return fallback;
    }

    /// <summary>Text that is not to be trusted must not become a control token because it is spelled like one.</summary>
    private void RemoveControlTokens()
    {
        for (int id = 0; id < tokens.Length; id++)
            if (types[id] == TokenType.Control && model.Ids.GetValueOrDefault(tokens[id], -1) == id) model.Ids.Remove(tokens[id]);
    }
}
