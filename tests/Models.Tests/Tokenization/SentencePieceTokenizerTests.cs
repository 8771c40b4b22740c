using static Inference.Models.Tests.SmallVocabularies;

namespace Inference.Models.Tests;

/// <summary>Ids derived by hand from a vocabulary of a few tokens.</summary>
public class SentencePieceTokenizerTests
{
    private const int Space = 259, A = 260, B = 261, C = 262, AA = 263, SpaceA = 264, AB = 265, BC = 266;

    private static readonly (string Text, float Score)[] Letters =
        [("▁", -9), ("a", -9), ("b", -9), ("c", -9), ("aa", -1), ("▁a", -2), ("ab", -3), ("bc", -3)];

    private static Tokenizer Make(bool spacePrefix = true) => Tokenizer.Create(SentencePiece(Letters) with { AddSpacePrefix = spacePrefix });

    [Fact]
    public void TheHigherScoreMergesFirstAndTheLeftmostAmongEquals()
    {
        // ▁aaa: "aa" beats "▁a", its left occurrence its right one. (Rightmost first would give ▁a, aa.)
        Assert.Equal([Space, AA, A], Make().EncodeText("aaa"));
        // abc: "ab" and "bc" tie.
        Assert.Equal([AB, C], Make(spacePrefix: false).EncodeText("abc"));
        Assert.Equal([SpaceA, BC], Make().EncodeText("abc"));
    }

    [Fact]
    public void SpacesAreSymbolsAndOneIsPutInFront()
    {
        Assert.Equal([Space, B, SpaceA, Space], Make().EncodeText("b a "));
        Assert.Equal([B, SpaceA], Make(spacePrefix: false).EncodeText("b a"));
        Assert.Empty(Make().EncodeText(""));
        Assert.Equal([Space, SpaceA], Make().EncodeText("▁a"));
    }

    [Fact]
    public void WhatHasNoTokenIsSpelledInBytes()
    {
        Assert.Equal([Space, Byte(0xC3), Byte(0xA9), B], Make().EncodeText("éb"));
        Assert.Equal([Space, Byte(0xF0), Byte(0x9F), Byte(0x98), Byte(0x80)], Make().EncodeText("😀"));
        Assert.Equal([Space, Byte('\n')], Make().EncodeText("\n"));
        // An unpaired surrogate is U+FFFD.
        Assert.Equal([Space, Byte(0xEF), Byte(0xBF), Byte(0xBD), B], Make().EncodeText("\uD83Db"));
    }

    [Fact]
    public void WithoutByteTokensARunOfUnknownCharactersIsOneUnknownToken()
    {
        VocabularyData bytes = SentencePiece(Letters);
        Tokenizer tokenizer = Tokenizer.Create(bytes with { Tokens = [.. bytes.Tokens.Select(token => token == "<0xA9>" ? "unused" : token)] });
        Assert.Equal([Space, Unknown, B, Unknown, A, Byte(0xC3), Byte(0xA8)], tokenizer.EncodeText("éééb©éaè"));
    }

    [Fact]
    public void TextThatSpellsAByteTokenStaysText()
    {
        Assert.Equal([Space, Byte('<'), Byte('0'), Byte('x'), Byte('6'), Byte('1'), Byte('>')], Make().EncodeText("<0x61>"));
    }

    [Fact]
    public void SpecialTokensAreSplitOffOnlyWhereAskedFor()
    {
        // The space goes before each stretch of text.
        Assert.Equal([SpaceA, Eos, Space, B, Unknown], Make().EncodeText("a</s>b<unk>"));
        Assert.Equal([SpaceA, Byte('<'), Byte('/'), Byte('s'), Byte('>'), B], Make().EncodeText("a</s>b", parseSpecial: false));
        Assert.Equal([Bos, SpaceA], Make().Encode("a", addSpecial: true, parseSpecial: true));
        Assert.Equal([Bos, Bos, SpaceA], Make().Encode("<s>a", addSpecial: true, parseSpecial: true));
        Assert.Equal([Bos], Make().Encode("", addSpecial: true, parseSpecial: true));
    }

    [Fact]
    public void BosAndEosFollowTheFile()
    {
        VocabularyData data = SentencePiece(Letters);
        Assert.Equal([SpaceA], Tokenizer.Create(data with { AddBos = false }).Encode("a", addSpecial: true, parseSpecial: false));
        Assert.Equal([SpaceA, Eos], Tokenizer.Create(data with { AddBos = false, AddEos = true }).Encode("a", addSpecial: true, parseSpecial: false));
        Assert.Equal([SpaceA], Tokenizer.Create(data with { BosId = null }).Encode("a", addSpecial: true, parseSpecial: false));
    }

    [Fact]
    public void InstructionMarksAsControlTokensPutTheSpaceAtTheStartOnly()
    {
        (string, float, TokenType)[] tokens = [.. Letters.Select(token => (token.Text, token.Score, TokenType.Normal)), ("[INST]", 0, TokenType.Control)];
        const int mark = 267;
        Tokenizer tokenizer = Tokenizer.Create(SentencePiece(tokens));
        Assert.Equal([SpaceA, mark, A, mark, SpaceA], tokenizer.EncodeText("a[INST]a[INST] a"));
        Assert.Equal([mark, A], tokenizer.EncodeText("[INST]a"));
        // No second space where there is one.
        Assert.Equal([SpaceA], tokenizer.EncodeText(" a"));
    }

    [Fact]
    public void Phi3RoleTokensSwallowTheSpaceAfterThem()
    {
        (string, float, TokenType)[] tokens =
            [.. Letters.Select(token => (token.Text, token.Score, TokenType.Normal)), ("<|placeholder1|>", 0, TokenType.Control), ("<|endoftext|>", 0, TokenType.Control), ("<|user|>", 0, TokenType.Control)];
        const int end = 268, user = 269;
        Tokenizer tokenizer = Tokenizer.Create(SentencePiece(tokens));
        Assert.Equal([user, SpaceA, user, user], tokenizer.EncodeText("<|user|> \n a<|user|>\n<|user|>"));
        Assert.Equal([end, Space, Space, Space, B], tokenizer.EncodeText("<|endoftext|>  b"));
    }

    [Fact]
    public void DecodingDropsTheSpaceThatEncodingAdded()
    {
        Tokenizer tokenizer = Make();
        Assert.Equal("a a", tokenizer.Decode([SpaceA, SpaceA], skipSpecial: true));
        Assert.Equal("a", tokenizer.Decode([Bos, SpaceA, Eos], skipSpecial: true));
        Assert.Equal("<s> a</s>", tokenizer.Decode([Bos, SpaceA, Eos], skipSpecial: false));
        Assert.Equal(" a", tokenizer.Decode([Space, SpaceA], skipSpecial: true));
        Assert.Equal(" a", Make(spacePrefix: false).Decode([SpaceA], skipSpecial: true));
        Assert.Equal("é\uFFFDa", tokenizer.Decode([Byte(0xC3), Byte(0xA9), Byte(0xC3), A], skipSpecial: true));
        Assert.Equal("", tokenizer.Decode([], skipSpecial: true));
    }

    [Fact]
    public void OneMegabyteOfOneLetterIsNoTrouble()
    {
        int[] ids = Make(spacePrefix: false).EncodeText(new string('a', 1 << 20));
        Assert.Equal(Enumerable.Repeat(AA, 1 << 19), ids);
    }
}
