using static Inference.Models.Tests.SmallVocabularies;

namespace Inference.Models.Tests;

/// <summary>Vocabularies that contradict themselves, or that this build does not know.</summary>
public class TokenizerErrorTests
{
    private static readonly VocabularyData SentencePieces = SentencePiece(("a", -1));
    private static readonly VocabularyData Bytes = ByteLevel("gpt-2", ["a b"]);

    private static void Fails(VocabularyData data, params string[] words)
    {
        var error = Assert.Throws<ModelFormatException>(() => Tokenizer.Create(data));
        Assert.Contains("small", error.Message, StringComparison.Ordinal);
        foreach (string word in words) Assert.Contains(word, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnUnknownModelIsNamedWithTheSupportedOnes() => Fails(Bytes with { Model = "bert" }, "tokenizer.ggml.model", "bert", "llama", "gpt2");

    [Fact]
    public void AnUnknownPreTokenizationIsNamedWithTheSupportedOnes() =>
        Fails(Bytes with { Pre = "viking" }, "tokenizer.ggml.pre", "viking", "gpt-2", "qwen2", "smollm", "llama-bpe");

    [Fact]
    public void MissingPartsAreNamed()
    {
        Fails(Bytes with { Pre = null }, "tokenizer.ggml.pre", "no such key");
        Fails(Bytes with { Merges = null }, "tokenizer.ggml.merges");
        Fails(SentencePieces with { Scores = null }, "tokenizer.ggml.scores");
        Fails(SentencePieces with { Tokens = [], Types = [] }, "tokenizer.ggml.tokens");
        Fails(SentencePieces with { BosId = null, AddBos = true }, "bos_token_id");
        Fails(Bytes with { AddEos = true }, "eos_token_id");
    }

    [Fact]
    public void PartsThatDoNotFitAreNamed()
    {
        Fails(SentencePieces with { Scores = [1] }, "scores", "260", "1");
        Fails(SentencePieces with { Types = [TokenType.Normal] }, "token_type", "260");
        Fails(SentencePieces with { Types = [.. SentencePieces.Types[..^1], (TokenType)9] }, "token_type[259]", "9");
        Fails(SentencePieces with { EosId = 260 }, "260");
        Fails(SentencePieces with { UnknownId = null, Types = [.. SentencePieces.Types.Select(_ => TokenType.Normal)] }, "unknown_token_id");
    }

    [Theory]
    [InlineData("ab")]
    [InlineData("a b c")]
    [InlineData(" b")]
    [InlineData("a ")]
    [InlineData("b c")]
    [InlineData("zz a")]
    public void ABadMergeIsNamed(string merge) => Fails(Bytes with { Merges = ["a b", merge] }, "merges[1]", merge);

    [Fact]
    public void AnIdOutsideTheVocabularyIsRefused()
    {
        Tokenizer tokenizer = Tokenizer.Create(Bytes);
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.Decode([257], skipSpecial: false));
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.CreateStream().Append(-1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => tokenizer.TokenBytes(1000).Length);
        Assert.Throws<ArgumentNullException>(() => tokenizer.Encode(null!, addSpecial: false, parseSpecial: false));
    }
}
