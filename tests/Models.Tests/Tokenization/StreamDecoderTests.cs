using System.Text;

namespace Inference.Models.Tests;

/// <summary>Text that comes one id at a time.</summary>
public class StreamDecoderTests
{
    public static TheoryData<string, string> All => TokenizerFiles.All;

    /// <summary>All text of a stream, flushed; no part may hold half a character.</summary>
    internal static string Feed(StreamDecoder stream, IEnumerable<int> ids)
    {
        var text = new StringBuilder();
        foreach (int id in ids) Take(stream.Append(id));
        Take(stream.Flush());
        return text.ToString();

        void Take(ReadOnlySpan<char> part)
        {
            Assert.False(part.Length > 0 && (char.IsLowSurrogate(part[0]) || char.IsHighSurrogate(part[^1])), "a surrogate pair was split");
            text.Append(part);
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void StreamedCasesEqualTheWhole(string name, string file)
    {
        Tokenizer tokenizer = TokenizerFiles.Load(name, file);
        foreach (TokenizerCase c in TokenizerFiles.Cases(name))
        {
            Assert.Equal(c.Decoded, Feed(tokenizer.CreateStream(skipSpecial: false), c.Ids));
            Assert.Equal(c.DecodedSkipSpecial, Feed(tokenizer.CreateStream(), c.Ids));
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void RandomIdsStreamAsTheyDecode(string name, string file)
    {
        Tokenizer tokenizer = TokenizerFiles.Load(name, file);
        var random = new Random(7);
        // Bytes and byte fragments have low ids, so half of the ids come from there: most sequences are broken UTF-8.
        for (int round = 0; round < 2000; round++)
        {
            int[] ids = [.. Enumerable.Range(0, random.Next(1, 12)).Select(_ => random.Next(random.Next(2) == 0 ? 300 : tokenizer.VocabularySize))];
            bool skip = random.Next(2) == 0;
            Assert.Equal(tokenizer.Decode(ids, skip), Feed(tokenizer.CreateStream(skip), ids));
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void AContinuationGivesTheRestOfTheWholeAtAnySplit(string name, string file)
    {
        Tokenizer tokenizer = TokenizerFiles.Load(name, file);
        const string text = "In the beginning,  naïve 日本 text 😀 was here\n and  there";
        int[] ids = tokenizer.Encode(text, addSpecial: true, parseSpecial: false);
        for (int split = 2; split < ids.Length; split++)
        {
            string whole = tokenizer.Decode(ids, skipSpecial: true);
            string prompt = tokenizer.Decode(ids.AsSpan(0, split), skipSpecial: true);
            // Where the split falls inside a character there is no text for the prompt alone.
            if (prompt.Contains('\uFFFD')) continue;
            Assert.Equal(whole, prompt + Feed(tokenizer.CreateStream(continuation: true), ids[split..]));
        }
    }

    [Fact]
    public void TextComesWhenItsCharactersAreComplete()
    {
        StreamDecoder stream = Tokenizer.Create(SmallVocabularies.ByteLevel("gpt-2", ["Ġ a"])).CreateStream();
        Assert.Equal(" a", stream.Append(256).ToString());
        Assert.Equal("", stream.Append(0xF0).ToString());
        Assert.Equal("", stream.Append(0x9F).ToString());
        Assert.Equal("", stream.Append(0x98).ToString());
        Assert.Equal("😀", stream.Append(0x80).ToString());
        Assert.Equal("", stream.Append(0xC3).ToString());
        Assert.Equal("\uFFFDa", stream.Append('a').ToString());
        Assert.Equal("", stream.Append(0xE6).ToString());
        Assert.Equal("\uFFFD", stream.Flush().ToString());
        Assert.Equal("", stream.Flush().ToString());
    }

    [Fact]
    public void OnlyTheStartOfASequenceLosesItsSpace()
    {
        Tokenizer tokenizer = Tokenizer.Create(SmallVocabularies.SentencePiece(("▁a", -1)));
        int[] ids = [SmallVocabularies.Bos, 259, 259];
        Assert.Equal("a a", Feed(tokenizer.CreateStream(), ids));
        Assert.Equal(" a a", Feed(tokenizer.CreateStream(continuation: true), ids));
        Assert.Equal("<s> a a", Feed(tokenizer.CreateStream(skipSpecial: false), ids));
    }

    [Fact]
    public void AWarmStreamAllocatesNothing()
    {
        StreamDecoder stream = Tokenizer.Create(SmallVocabularies.ByteLevel("gpt-2", ["Ġ a"])).CreateStream();
        int characters = 0;
        for (int warm = 0; warm < 10; warm++) characters += stream.Append(256).Length;
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++) characters += stream.Append(i % 257).Length;
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.True(characters > 1000);
    }
}
