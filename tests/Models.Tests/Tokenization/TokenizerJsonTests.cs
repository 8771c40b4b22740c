using System.Text.Json.Nodes;
using static Inference.Models.Tests.SmallVocabularies;

namespace Inference.Models.Tests;

/// <summary>Parts of a tokenizer.json, with ids derived by hand.</summary>
public class TokenizerJsonTests
{
    private const int First = 256;

    private static JsonObject Bytes(params string[] merges) => SmallTokenizerJson.ByteLevel(merges);

    [Fact]
    public void MergesAreReadInBothForms()
    {
        int[] expected = [First + 1, 'o', First + 2];
        Assert.Equal(expected, Bytes("l l", "h e", "Ġ h").Open().EncodeText("heo h"));
        var pairs = new JsonArray(new JsonArray("l", "l"), new JsonArray("h", "e"), new JsonArray("Ġ", "h"));
        Assert.Equal(expected, Bytes("l l", "h e", "Ġ h").WithModel("merges", pairs).Open().EncodeText("heo h"));
    }

    [Fact]
    public void WholePiecesComeFirstWhereTheFileSaysSo()
    {
        Assert.Equal(['a', First], Bytes("b c", "a b", "ab c").Open().EncodeText("abc"));
        Assert.Equal([First + 2], Bytes("b c", "a b", "ab c").WithModel("ignore_merges", true).Open().EncodeText("abc"));
    }

    [Theory]
    [InlineData("""{"type":"NFC"}""", "e\u0301", "\u00E9")]
    [InlineData("""{"type":"NFKC"}""", "ﬁ", "fi")]
    [InlineData("""{"type":"NFD"}""", "\u00E9", "e\u0301")]
    [InlineData("""{"type":"NFKD"}""", "\u2460\u00E9", "1e\u0301")]
    [InlineData("""{"type":"Lowercase"}""", "AÉİ", "aéi\u0307")]
    [InlineData("""{"type":"Sequence","normalizers":[{"type":"NFD"},{"type":"StripAccents"}]}""", "é", "e")]
    [InlineData("""{"type":"Strip","strip_left":true,"strip_right":false}""", " \n a ", "a ")]
    [InlineData("""{"type":"Prepend","prepend":"_"}""", "a", "_a")]
    [InlineData("""{"type":"Replace","pattern":{"String":"ab"},"content":"c"}""", "abab b", "cc b")]
    [InlineData("""{"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "}""", "a   b c", "a b c")]
    [InlineData("""{"type":"Sequence","normalizers":[]}""", "a", "a")]
    public void NormalizersRewriteTheText(string normalizer, string text, string normalized)
    {
        Tokenizer tokenizer = Bytes().With("normalizer", normalizer).Open();
        Assert.Equal(normalized, tokenizer.Decode(tokenizer.EncodeText(text), skipSpecial: false));
    }

    [Theory]
    [InlineData("""{"type":"Split","pattern":{"String":"b"},"behavior":"Isolated","invert":false}""", "abba", "a|b|b|a")]
    [InlineData("""{"type":"Split","pattern":{"String":"b"},"behavior":"Removed","invert":false}""", "abba", "a|a")]
    [InlineData("""{"type":"Split","pattern":{"String":"b"},"behavior":"MergedWithPrevious","invert":false}""", "abba", "ab|b|a")]
    [InlineData("""{"type":"Split","pattern":{"String":"b"},"behavior":"MergedWithNext","invert":false}""", "abba", "a|b|ba")]
    [InlineData("""{"type":"Split","pattern":{"String":"b"},"behavior":"Contiguous","invert":false}""", "abba", "a|bb|a")]
    [InlineData("""{"type":"Split","pattern":{"Regex":"[a-z]+"},"behavior":"Removed","invert":true}""", "ab, cd", "ab|cd")]
    [InlineData("""{"type":"Digits","individual_digits":true}""", "a12b", "a|1|2|b")]
    [InlineData("""{"type":"Digits","individual_digits":false}""", "a12b", "a|12|b")]
    [InlineData("""{"type":"Punctuation","behavior":"Contiguous"}""", "a..b$", "a|..|b|$")]
    [InlineData("""{"type":"Punctuation"}""", "a..b", "a|.|.|b")]
    [InlineData("""{"type":"Whitespace"}""", "a_1 .. b", "a_1|..|b")]
    [InlineData("""{"type":"WhitespaceSplit"}""", "a, \n b", "a,|b")]
    [InlineData("""{"type":"CharDelimiterSplit","delimiter":"-"}""", "a-b--c", "a|b|c")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}""", "a b", "▁a|▁b")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"never","split":true}""", "a  b", "a|▁|▁b")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","split":false}""", "a b", "▁a▁b")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","add_prefix_space":false,"split":false}""", "a b", "a▁b")]
    [InlineData("""{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"}]}""", " a  b", "▁a|▁b")]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":true,"use_regex":false}""", "a b", " a b")]
    [InlineData("""{"type":"ByteLevel","add_prefix_space":true,"use_regex":true}""", "a b", " a| b")]
    public void PreTokenizersCutTheText(string preTokenizer, string text, string pieces)
    {
        var list = new PieceList();
        list.Reset(text.AsMemory());
        using var json = System.Text.Json.JsonDocument.Parse(preTokenizer);
        new PreTokenizerReader().Read(new JsonPart("small", "pre_tokenizer", json.RootElement))!.Split(list, first: true);
        var found = new List<string>();
        foreach ((int start, int end) in list.Pieces) found.Add(list.Text[start..end].ToString());
        Assert.Equal(pieces, string.Join('|', found));
    }

    [Fact]
    public void FirstPrefixesTheStartOfTheTextOnly()
    {
        Tokenizer Make(string scheme) => SmallTokenizerJson.Characters(["▁", "a", "b"]).With("pre_tokenizer", SmallTokenizerJson.Metaspace(scheme)).WithToken(3, "<x>", "special").Open();
        Assert.Equal([0, 1, 3, 2], Make("first").EncodeText("a<x>b"));
        Assert.Equal([0, 1, 3, 0, 2], Make("always").EncodeText("a<x>b"));
        Assert.Equal([1, 3, 2], Make("never").EncodeText("a<x>b"));
        Assert.Equal([3, 2], Make("first").EncodeText("<x>b"));
        Assert.Equal([0, 1], Make("first").EncodeText(" a"));
    }

    [Fact]
    public void WhatHasNoTokenIsBytesOrUnknown()
    {
        string[] tokens = ["<unk>", "a", .. Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>")];
        JsonObject Make() => SmallTokenizerJson.Characters(tokens).WithModel("unk_token", "<unk>");
        Assert.Equal([1, 2 + 0xC3, 2 + 0xA9, 2 + 0xC3, 2 + 0xA9], Make().WithModel("byte_fallback", true).Open().EncodeText("aéé"));
        Assert.Equal([1, 0, 1], Make().WithModel("fuse_unk", true).Open().EncodeText("aééa"));
        Assert.Equal([1, 0, 0, 1], Make().Open().EncodeText("aééa"));
        Assert.Equal([1, 1], SmallTokenizerJson.Characters(["x", "a"]).Open().EncodeText("aéa"));
    }

    [Fact]
    public void AddedTokensTakeTheWhiteSpaceThatTheyAskFor()
    {
        Tokenizer tokenizer = Bytes().WithToken(256, "<l>", "lstrip").WithToken(257, "<r>", "rstrip").WithToken(258, "<w>", "single_word").WithToken(259, "<b>", "lstrip", "rstrip").Open();
        Assert.Equal(['a', 256, ' ', 'b'], tokenizer.EncodeText("a \n<l> b"));
        Assert.Equal(['a', ' ', 257, 'b'], tokenizer.EncodeText("a <r>\t b"));
        Assert.Equal(['a', 259, 'b'], tokenizer.EncodeText("a <b> b"));
        Assert.Equal(['(', 258, ')', .. Ascii("x<w>")], tokenizer.EncodeText("(<w>)x<w>"));
    }

    [Fact]
    public void NormalizedTokensAreFoundInNormalizedText()
    {
        Tokenizer tokenizer = Bytes().With("normalizer", """{"type":"Lowercase"}""").WithToken(256, "AB", "normalized").WithToken(257, "CD").Open();
        Assert.Equal([256, 'x', 256, 257, .. Ascii("cd")], tokenizer.EncodeText("abXABCDcd"));
        Assert.Equal(Ascii("abcd"), tokenizer.EncodeText("ABCD", parseSpecial: false));
    }

    [Fact]
    public void TheLongestAddedTokenCounts()
    {
        Tokenizer tokenizer = Bytes().WithToken(256, "<a>").WithToken(257, "<a>b").WithToken(258, "<a>bc<").Open();
        Assert.Equal([256, 257, 'c', ' ', 258], tokenizer.EncodeText("<a><a>bc <a>bc<"));
    }

    [Fact]
    public void TemplatesPutTokensAroundThePrompt()
    {
        const string template = """{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<b>","type_id":0}},{"Sequence":{"id":"A","type_id":0}},{"SpecialToken":{"id":"<e>","type_id":0}}],"pair":[],"special_tokens":{"<b>":{"id":"<b>","ids":[256,257],"tokens":["<b>","<c>"]},"<e>":{"id":"<e>","ids":[258],"tokens":["<e>"]}}}""";
        Tokenizer Make(string processor) => Bytes().WithToken(256, "<b>", "special").WithToken(257, "<c>", "special").WithToken(258, "<e>", "special").With("post_processor", processor).Open();
        Assert.Equal([256, 257, 'a', 258], Make(template).Encode("a", addSpecial: true, parseSpecial: false));
        Assert.Equal([256, 257, 258], Make(template).Encode("", addSpecial: true, parseSpecial: false));
        Assert.Equal(['a'], Make(template).EncodeText("a"));
        Assert.Equal([256, 257, 'a', 258], Make($$"""{"type":"Sequence","processors":[{"type":"ByteLevel"},{{template}}]}""").Encode("a", addSpecial: true, parseSpecial: false));
        Assert.Equal([257, 'a', 256], Make("""{"type":"RobertaProcessing","sep":["<b>",256],"cls":["<c>",257]}""").Encode("a", addSpecial: true, parseSpecial: false));
    }

    [Theory]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"}""", "a b<x>")]
    [InlineData("""{"type":"Metaspace","replacement":"▁","prepend_scheme":"never"}""", " a b<x>")]
    [InlineData("""{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}""", "a b<x>")]
    [InlineData("""{"type":"Sequence","decoders":[{"type":"Strip","content":"▁","start":1,"stop":0},{"type":"Fuse"}]}""", "ab<x>")]
    [InlineData("""{"type":"Replace","pattern":{"Regex":"[▁<]"},"content":"-"}""", "-a-b-x>")]
    [InlineData(null, "▁a ▁b <x>")]
    public void DecodersSpellTokens(string? decoder, string text)
    {
        Tokenizer tokenizer = SmallTokenizerJson.Characters(["▁a", "▁b"]).WithToken(2, "<x>", "special").With("decoder", decoder).Open();
        Assert.Equal(text, tokenizer.Decode([0, 1, 2], skipSpecial: false));
        Assert.Equal(text, StreamDecoderTests.Feed(tokenizer.CreateStream(skipSpecial: false), [0, 1, 2]));
    }

    [Fact]
    public void ConfigurationNamesBosAndEosAndFurtherTokens()
    {
        string folder = Directory.CreateTempSubdirectory("tokenizer").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, TokenizerJson.FileName), Bytes().WithToken(256, "<b>", "special").ToJsonString());
            File.WriteAllText(Path.Combine(folder, TokenizerJson.ConfigurationName), """{"bos_token":"<b>","eos_token":{"content":"<|im_end|>"},"added_tokens_decoder":{"256":{"content":"<b>","special":true},"258":{"content":"<|im_end|>","special":true}}}""");
            foreach (string path in (string[])[folder, Path.Combine(folder, TokenizerJson.FileName)])
            {
                Tokenizer tokenizer = Tokenizer.Open(path);
                Assert.Equal((256, 258, 259), (tokenizer.BosId, tokenizer.EosId, tokenizer.VocabularySize));
                Assert.Equal([258], tokenizer.EndOfGeneration);
                Assert.Equal([256, 258], tokenizer.EncodeText("<b><|im_end|>"));
                // An id that nothing spells.
                Assert.Equal("", tokenizer.Decode([257], skipSpecial: false));
            }
            File.Delete(Path.Combine(folder, TokenizerJson.FileName));
            Assert.Contains(folder, Assert.Throws<ModelFormatException>(() => Tokenizer.Open(folder)).Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
