using System.Text;

namespace Inference.Models.Tests;

/// <summary>Text that comes one id at a time.</summary>
public class StreamTests
{
    public static TheoryData<string> Names => TokenizerFiles.Names;

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
    [MemberData(nameof(Names))]
    public void StreamedCasesEqualTheWhole(string name)
    {
        Tokenizer tokenizer = TokenizerFiles.Load(name);
        foreach (TokenizerCase c in TokenizerFiles.Cases(name))
        {
            Assert.Equal(c.Decoded, Feed(tokenizer.CreateStream(skipSpecial: false), c.Ids));
            Assert.Equal(c.DecodedSkipSpecial, Feed(tokenizer.CreateStream(), c.Ids));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void RandomIdsStreamAsTheyDecode(string name)
    {
        Tokenizer tokenizer = TokenizerFiles.Load(name);
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
    [MemberData(nameof(Names))]
    public void AContinuationGivesTheRestOfTheWholeAtAnySplit(string name)
    {
        Tokenizer tokenizer = TokenizerFiles.Load(name);
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
}
