using System.Text;
using static Inference.Models.Tests.SmallVocabularies;

namespace Inference.Models.Tests;

/// <summary>Ids derived by hand from the 256 bytes and a few merges.</summary>
public class ByteLevelTokenizerTests
{
    private static readonly string[] Merges = ["l l", "h e", "he ll", "Ġ h", "a a", "b c", "a b", "ab c"];
    private const int LL = 256, HE = 257, HELL = 258, SpaceH = 259, AA = 260, BC = 261;

    [Fact]
    public void EarlierMergesGoFirstAndTheLeftmostAmongEquals()
    {
        Tokenizer tokenizer = Tokenizer.Create(ByteLevel("gpt-2", Merges));
        Assert.Equal([HELL, 'o'], tokenizer.EncodeText("hello"));
        // "h e" comes before "Ġ h".
        Assert.Equal([HELL, 'o', ' ', HELL], tokenizer.EncodeText("hello hell"));
        Assert.Equal([SpaceH, 'a'], tokenizer.EncodeText(" ha"));
        Assert.Equal([AA, 'a'], tokenizer.EncodeText("aaa"));
        // "b c" comes before "a b", so "ab c" never gets its chance.
        Assert.Equal(['a', BC], tokenizer.EncodeText("abc"));
    }

    [Fact]
    public void PiecesDoNotMergeAcrossTheirBorders()
    {
        Tokenizer tokenizer = Tokenizer.Create(ByteLevel("gpt-2", ["a 1", "l l", ". l"]));
        Assert.Equal(Ascii("a1.l"), tokenizer.EncodeText("a1.l"));
    }

    [Fact]
    public void EveryByteIsAToken()
    {
        Tokenizer tokenizer = Tokenizer.Create(ByteLevel("gpt-2", Merges));
        Assert.Equal([0xC3, 0xA9, ' ', 0xF0, 0x9F, 0x98, 0x80, 0], tokenizer.EncodeText("é 😀\0"));
        Assert.Equal([0xEF, 0xBF, 0xBD, 'a'], tokenizer.EncodeText("\uDE00a"));
        Assert.Empty(tokenizer.EncodeText(""));
    }

    [Fact]
    public void AWholePieceThatIsATokenNeedsNoMergesInLlama3()
    {
        // "abc" is a token, but its bytes merge to a, bc.
        Assert.Equal([263], Tokenizer.Create(ByteLevel("llama-bpe", Merges)).EncodeText("abc"));
        Assert.Equal(['a', BC, 'a'], Tokenizer.Create(ByteLevel("llama-bpe", Merges)).EncodeText("abca"));
    }

    [Fact]
    public void SpecialTokensAreSplitOffLongestFirstAndOnlyWhereAskedFor()
    {
        Tokenizer tokenizer = Tokenizer.Create(ByteLevel("gpt-2", [], ("<x>", TokenType.Control), ("<x>y", TokenType.UserDefined), ("<é>", TokenType.UserDefined)));
        Assert.Equal(['a', 256, 'b', 257, ' ', 258], tokenizer.EncodeText("a<x>b<x>y <é>"));
        Assert.Equal(Ascii("a<x>b<x>y"), tokenizer.EncodeText("a<x>b<x>y", parseSpecial: false));
        Assert.Equal("a<x><x>y<é>", tokenizer.Decode(['a', 256, 257, 258], skipSpecial: false));
        // A user-defined token is text.
        Assert.Equal("a<x>y<é>", tokenizer.Decode(['a', 256, 257, 258], skipSpecial: true));
    }

    [Fact]
    public void QwenComposesTextButNotSpecialTokens()
    {
        Tokenizer tokenizer = Tokenizer.Create(ByteLevel("qwen2", [], ("<e\u0301>", TokenType.Control)));
        Assert.Equal([0xC3, 0xA9, 256, 0xC3, 0xA9], tokenizer.EncodeText("e\u0301<e\u0301>\u00E9"));
        // .NET refuses to normalise text with U+FFFE.
        Assert.Equal([0xC3, 0xA9, 0xEF, 0xBF, 0xBE, 0xC3, 0xA9], tokenizer.EncodeText("e\u0301\uFFFEe\u0301"));
        Assert.Equal(['e', 0xCC, 0x81], Tokenizer.Create(ByteLevel("gpt-2", [])).EncodeText("e\u0301"));
    }

    [Fact]
    public void BosIsAddedWhereTheFileOrThePreTokenizationSaysSo()
    {
        static int[] Encode(string pre, bool? addBos) =>
            Tokenizer.Create(ByteLevel(pre, [], ("<b>", TokenType.Control)) with { BosId = 256, AddBos = addBos }).Encode("a", addSpecial: true, parseSpecial: false);
        Assert.Equal(['a'], Encode("gpt-2", null));
        Assert.Equal([256, 'a'], Encode("gpt-2", true));
        Assert.Equal([256, 'a'], Encode("llama-bpe", null));
        Assert.Equal(['a'], Encode("llama-bpe", false));
    }

    [Fact]
    public void RepeatedMergesAndTokensCountOnce()
    {
        VocabularyData data = ByteLevel("gpt-2", ["l l", "a a", "l l", "aa a"]);
        Tokenizer tokenizer = Tokenizer.Create(data with { Tokens = [.. data.Tokens, "aa"], Types = [.. data.Types, TokenType.Normal] });
        Assert.Equal([257, 257, LL], tokenizer.EncodeText("aaaall"));
    }

    [Theory]
    [InlineData("gpt-2")]
    [InlineData("smollm")]
    [InlineData("qwen2")]
    [InlineData("llama-bpe")]
    public void AnyTextSurvivesThereAndBack(string pre)
    {
        Tokenizer tokenizer = Tokenizer.Create(ByteLevel(pre, Merges));
        foreach (string text in RandomText.Strings(seed: 3, count: 3000))
            Assert.Equal(pre == "qwen2" ? UnicodeForms.Normalize(text, NormalizationForm.FormC) : text, tokenizer.Decode(tokenizer.EncodeText(text, parseSpecial: false), skipSpecial: false));
    }

    [Fact]
    public void OneMegabyteOfOneLetterIsNoTrouble()
    {
        int[] ids = Tokenizer.Create(ByteLevel("gpt-2", Merges)).EncodeText(new string('a', 1 << 20));
        Assert.Equal(Enumerable.Repeat(AA, 1 << 19), ids);
    }

    [Fact]
    public void AWarmEncodingAllocatesItsResultOnly()
    {
        Tokenizer tokenizer = Tokenizer.Create(ByteLevel("llama-bpe", Merges));
        string text = string.Concat(Enumerable.Repeat("hello hell, 123 abc aaa é日本\n", 50));
        int[] ids = [];
        for (int warm = 0; warm < 3; warm++) ids = tokenizer.EncodeText(text);
        long before = GC.GetAllocatedBytesForCurrentThread();
        tokenizer.EncodeText(text);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, ids.Length * sizeof(int), ids.Length * sizeof(int) + 64);
    }

    [Fact]
    public void ConcurrentCallersGetTheSameIds()
    {
        Tokenizer tokenizer = Tokenizer.Create(ByteLevel("qwen2", Merges));
        string[] texts = [.. RandomText.Strings(seed: 9, count: 500)];
        Tokenizer fresh = Tokenizer.Create(ByteLevel("qwen2", Merges));
        int[][] expected = [.. texts.Select(text => fresh.EncodeText(text))];
        Parallel.For(0, 4000, i => Assert.Equal(expected[i % texts.Length], tokenizer.EncodeText(texts[i % texts.Length])));
    }
}
