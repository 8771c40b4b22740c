namespace Inference.Models.Tests;

/// <summary>From GGUF metadata to the tokenizer's input.</summary>
public class VocabularyDataTests
{
    private static GgufWriter Writer() => new GgufWriter()
        .Set("tokenizer.ggml.model", "llama")
        .Set("tokenizer.ggml.tokens", (string[])["<unk>", "<s>", "</s>", "<0x0A>", "a", "<|im_end|>"])
        .Set("tokenizer.ggml.scores", (float[])[0, 0, 0, 0, -1, 0])
        .Set("tokenizer.ggml.token_type", (int[])[2, 3, 3, 6, 1, 3])
        .Set("tokenizer.ggml.bos_token_id", 1u)
        .Set("tokenizer.ggml.eos_token_id", 2u)
        .Set("tokenizer.ggml.unknown_token_id", 0u);

    private static VocabularyData Read(GgufWriter writer)
    {
        using var temp = new TempFile(writer.ToArray());
        using GgufFile file = GgufFile.Open(temp.Path);
        return VocabularyData.Read(file);
    }

    [Fact]
    public void EveryKeyArrives()
    {
        VocabularyData data = Read(Writer()
            .Set("tokenizer.ggml.pre", "default")
            .Set("tokenizer.ggml.padding_token_id", 3u)
            .Set("tokenizer.ggml.eot_token_id", 4)
            .Set("tokenizer.ggml.eom_token_id", 5ul)
            .Set("tokenizer.ggml.add_bos_token", true)
            .Set("tokenizer.ggml.add_eos_token", false)
            .Set("tokenizer.ggml.add_space_prefix", false)
            .Set("tokenizer.ggml.merges", (string[])["a b"]));
        Assert.Equal(("llama", "default"), (data.Model, data.Pre));
        Assert.Equal(["<unk>", "<s>", "</s>", "<0x0A>", "a", "<|im_end|>"], data.Tokens);
        Assert.Equal([0, 0, 0, 0, -1f, 0], data.Scores!);
        Assert.Equal([TokenType.Unknown, TokenType.Control, TokenType.Control, TokenType.Byte, TokenType.Normal, TokenType.Control], data.Types);
        Assert.Equal(["a b"], data.Merges!);
        Assert.Equal((1, 2, 0, 3, 4, 5), (data.BosId, data.EosId, data.UnknownId, data.PaddingId, data.EotId, data.EomId));
        Assert.Equal((true, false, false), (data.AddBos, data.AddEos, data.AddSpacePrefix));
    }

    [Fact]
    public void WhatTheFileDoesNotSayIsLeftOpen()
    {
        VocabularyData data = Read(Writer().Remove("tokenizer.ggml.bos_token_id").Set("tokenizer.ggml.padding_token_id", -1));
        Assert.Null(data.BosId);
        Assert.Null(data.PaddingId);
        Assert.Null(data.AddBos);
        Assert.Null(data.AddSpacePrefix);
        Assert.Null(data.Pre);
        Assert.Null(data.Merges);
    }

    [Fact]
    public void TypesAreGuessedWhereTheFileHasNone() => Assert.Equal(
        [TokenType.Unknown, TokenType.Control, TokenType.Control, TokenType.Byte, TokenType.Normal, TokenType.Normal], Read(Writer().Remove("tokenizer.ggml.token_type")).Types);

    [Fact]
    public void WrongValuesAreNamed()
    {
        static void Fails(GgufWriter writer, string key) => Assert.Contains(key, Assert.Throws<ModelFormatException>(() => Read(writer)).Message, StringComparison.Ordinal);
        Fails(Writer().Remove("tokenizer.ggml.tokens"), "tokenizer.ggml.tokens");
        Fails(Writer().Remove("tokenizer.ggml.model"), "tokenizer.ggml.model");
        Fails(Writer().Set("tokenizer.ggml.tokens", "text"), "tokenizer.ggml.tokens");
        Fails(Writer().Set("tokenizer.ggml.eos_token_id", 6u), "tokenizer.ggml.eos_token_id");
        Fails(Writer().Set("tokenizer.ggml.eos_token_id", "2"), "tokenizer.ggml.eos_token_id");
        Fails(Writer().Set("tokenizer.ggml.add_bos_token", 1), "tokenizer.ggml.add_bos_token");
    }

    [Fact]
    public void EndIdsAreTheFilesOwnAndControlTokensThatSpellAnEnd()
    {
        Assert.Equal([2, 5], Tokenizer.Create(Read(Writer())).EndOfGeneration.Order());
        Assert.Equal([1, 2, 4, 5], Tokenizer.Create(Read(Writer().Set("tokenizer.ggml.eot_token_id", 4u).Set("tokenizer.ggml.eom_token_id", 1u))).EndOfGeneration.Order());
        // Typed as text, the spelling does not count.
        Assert.Equal([2], Tokenizer.Create(Read(Writer().Set("tokenizer.ggml.token_type", (int[])[2, 3, 3, 6, 1, 1]))).EndOfGeneration.Order());
    }
}
