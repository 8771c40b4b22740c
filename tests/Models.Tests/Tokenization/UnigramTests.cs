using System.Text;

namespace Inference.Models.Tests;

/// <summary>The segmentation of highest score, by hand and against all segmentations.</summary>
public class UnigramTests
{
    private const int Unknown = 0, A = 1, B = 2, AB = 3, Space = 4, SpaceA = 5;

    private static readonly (string, double)[] Tokens = [("<unk>", 0), ("a", -2), ("b", -2), ("ab", -3), ("▁", -1), ("▁a", -2.5)];

    [Fact]
    public void TheHighestSumWins()
    {
        Tokenizer tokenizer = SmallTokenizerJson.Unigram(Unknown, Tokens).Open();
        // ▁ + ab = -4, ▁a + b = -4.5.
        Assert.Equal([Space, AB], tokenizer.EncodeText("ab"));
        Assert.Equal([SpaceA, A, SpaceA], tokenizer.EncodeText("aa a"));
        Assert.Equal("aa a", tokenizer.Decode([SpaceA, A, SpaceA], skipSpecial: true));
    }

    [Fact]
    public void ARunOfUnknownCharactersIsOneToken()
    {
        Tokenizer tokenizer = SmallTokenizerJson.Unigram(Unknown, Tokens).Open();
        Assert.Equal([Space, Unknown, A, Unknown, B], tokenizer.EncodeText("éx😀a😀b"));
        Tokenizer bytes = SmallTokenizerJson.Unigram(Unknown, [.. Tokens, .. Enumerable.Range(0, 256).Select(value => ($"<0x{value:X2}>", -50.0))]).WithModel("byte_fallback", true).Open();
        Assert.Equal([Space, 6 + 0xC3, 6 + 0xA9, 6 + 'x', A], bytes.EncodeText("éxa"));
    }

    [Fact]
    public void ScoresAgreeWithEverySegmentation()
    {
        var random = new Random(3);
        for (int round = 0; round < 40; round++)
        {
            var scores = new Dictionary<string, double>();
            foreach (string letter in (string[])["a", "b", "c"]) scores[letter] = -1 - random.NextDouble() * 5;
            for (int i = 0; i < 12; i++) scores[string.Concat(Enumerable.Range(0, random.Next(2, 5)).Select(_ => "abc"[random.Next(3)]))] = -1 - random.NextDouble() * 9;
            Tokenizer tokenizer = SmallTokenizerJson.Unigram(null, [.. scores.Select(token => (token.Key, token.Value))]).With("pre_tokenizer", null).Open();
            for (int i = 0; i < 40; i++)
            {
                var text = new StringBuilder();
                for (int length = random.Next(1, 50); length > 0; length--) text.Append("abc"[random.Next(3)]);
                int[] ids = tokenizer.EncodeText(text.ToString());
                Assert.Equal(text.ToString(), string.Concat(ids.Select(tokenizer.Spelling)));
                Assert.Equal(Best(text.ToString(), scores), ids.Sum(id => scores[tokenizer.Spelling(id)]), 1e-9);
            }
        }
    }

    [Fact]
    public void GgufUnigramVocabulariesAreReadToo()
    {
        VocabularyData data = SentencePiece(("▁", -1), ("a", -2), ("b", -2), ("ab", -3), ("▁a", -2.5f)) with { Model = GgufTokenizer.Unigram, RemoveExtraSpaces = true, AddEos = true };
        Tokenizer tokenizer = Tokenizer.Create(data);
        Assert.Equal([259, 262, 263, SmallVocabularies.Eos], tokenizer.Encode("  ab   a ", addSpecial: true, parseSpecial: true));
        Assert.Equal("ab a", tokenizer.Decode([259, 262, 263], skipSpecial: true));
        Assert.Equal([263, SmallVocabularies.Byte(0xC3), SmallVocabularies.Byte(0xA9)], tokenizer.EncodeText("aé"));
    }

    private static VocabularyData SentencePiece(params (string, float)[] tokens) => SmallVocabularies.SentencePiece(tokens);

    private static double Best(string text, Dictionary<string, double> scores)
    {
        double[] best = [0, .. Enumerable.Repeat(double.NegativeInfinity, text.Length)];
        for (int end = 1; end <= text.Length; end++)
            for (int start = 0; start < end; start++)
                if (scores.TryGetValue(text[start..end], out double score)) best[end] = Math.Max(best[end], best[start] + score);
        return best[^1];
    }
}
