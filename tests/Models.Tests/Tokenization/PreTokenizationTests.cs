namespace Inference.Models.Tests;

/// <summary>Pieces read off the patterns by hand.</summary>
public class PreTokenizationTests
{
    [Theory]
    [InlineData("gpt-2", "I'm  here", "I|'m| | here")]
    [InlineData("gpt-2", "I'M", "I|'|M")]
    [InlineData("gpt-2", "a1234 56.7", "a|1234| 56|.|7")]
    [InlineData("gpt-2", "x \n\n  y  ", "x| \n\n | y|  ")]
    [InlineData("smollm", "a12  3", "a|1|2|  |3")]
    [InlineData("smollm", "v1 b", "v|1| b")]
    [InlineData("qwen2", "I'M it'\u017Fx", "I|'M| it|'\u017F|x")]
    [InlineData("qwen2", "a12 .x", "a|1|2| .|x")]
    [InlineData("qwen2", "(x).\n\n  y", "(x|).\n\n| | y")]
    [InlineData("llama-bpe", "12345 a", "123|45| a")]
    [InlineData("llama-bpe", "x \r\n\n y", "x| \r\n\n| y")]
    public void TextFallsIntoPieces(string pre, string text, string pieces) => Assert.Equal(pieces, Pieces(pre, text));

    [Theory]
    // Letters, digits and symbols above U+FFFF behave as their category says.
    [InlineData("gpt-2", "\U00010400\U00010428a \U0001D7CF\U0001D7D01 \U0001F600\U0001F600!", "\U00010400\U00010428a| \U0001D7CF\U0001D7D01| \U0001F600\U0001F600!")]
    [InlineData("qwen2", "x\U0001D7CF\U0001D7D0", "x|\U0001D7CF|\U0001D7D0")]
    [InlineData("llama-bpe", "\U0001D7CF\U0001D7D0\U0001D7D1\U0001D7D2", "\U0001D7CF\U0001D7D0\U0001D7D1|\U0001D7D2")]
    [InlineData("smollm", "\U00020000\U0001D7CF", "\U00020000|\U0001D7CF")]
    public void CharactersAboveTheBasicPlaneAreWhole(string pre, string text, string pieces) => Assert.Equal(pieces, Pieces(pre, text));

    [Fact]
    public void PiecesCoverTheText()
    {
        foreach (string name in GgufPreTokenization.Names)
            foreach (string text in RandomText.Strings(seed: 5, count: 300))
                Assert.Equal(text, Pieces(name, text, separator: ""));
    }

    [Theory]
    [InlineData("gpt-4o", "HelloWorld's iPhoneX", "Hello|World's| i|Phone|X")]
    [InlineData("gpt-4o", "日本A a/b//\n1234", "日本|A| a|/b|//\n|123|4")]
    [InlineData("tekken", "HelloWORLDs12 It's", "Hello|WORLDs|1|2| It|'s")]
    [InlineData("deepseek-v3", "a1234日本の。x .y", "a|123|4|日本の|。|x| .|y")]
    [InlineData("deepseek-v3", "+abc ++abc\u0001\u0002d", "+abc| ++|abc|\u0001|\u0002d")]
    [InlineData("falcon", "a-b12345", "a|-|b|123|45")]
    public void TextOfNewerVocabulariesFallsIntoPieces(string pre, string text, string pieces) => Assert.Equal(pieces, Pieces(pre, text));

    private static string Pieces(string pre, string text, string separator = "|")
    {
        var pieces = new PieceList();
        pieces.Reset(text.AsMemory());
        GgufPreTokenization.Find(pre)!.PreTokenizer.Split(pieces, first: true);
        var found = new List<string>();
        foreach ((int start, int end) in pieces.Pieces) found.Add(text[start..end]);
        return string.Join(separator, found);
    }
}
