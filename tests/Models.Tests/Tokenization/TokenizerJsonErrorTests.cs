using System.Text;
using System.Text.Json.Nodes;

namespace Inference.Models.Tests;

/// <summary>Damaged files, and parts that this build does not know: one typed error that says where and what.</summary>
public class TokenizerJsonErrorTests
{
    private static JsonObject Bytes() => SmallTokenizerJson.ByteLevel("a b").WithToken(300, "<x>", "special");

    private static void Fails(JsonObject file, params string[] words)
    {
        var error = Assert.Throws<ModelFormatException>(() => file.Open());
        foreach (string word in words) Assert.Contains(word, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("normalizer", """{"type":"Nmt"}""", "normalizer.type", "Nmt", "NFKC")]
    [InlineData("normalizer", """{"type":"Sequence","normalizers":[{"type":"NFC"},{"type":"Odd"}]}""", "normalizer.normalizers[1].type", "Odd")]
    [InlineData("normalizer", """{"type":"Precompiled","precompiled_charsmap":"!"}""", "precompiled_charsmap", "base 64")]
    [InlineData("normalizer", """{"type":"Precompiled","precompiled_charsmap":"/////w=="}""", "precompiled_charsmap", "4294967295")]
    [InlineData("normalizer", """{"type":"Replace","pattern":{"Regex":"(a"},"content":""}""", "normalizer.pattern.Regex", "(a", "without )")]
    [InlineData("normalizer", """{"type":"Replace","pattern":{"String":""},"content":""}""", "normalizer.pattern.String")]
    [InlineData("normalizer", "[]", "normalizer", "an object", "an array")]
    [InlineData("pre_tokenizer", """{"type":"UnicodeScripts"}""", "pre_tokenizer.type", "UnicodeScripts", "Metaspace")]
    [InlineData("pre_tokenizer", """{"type":"Sequence","pretokenizers":[{"type":"ByteLevel"},{"type":"Digits"}]}""", "pre_tokenizer.pretokenizers[1]", "Digits")]
    [InlineData("pre_tokenizer", """{"type":"Split","pattern":{"Regex":"\\p{Klingon}"},"behavior":"Isolated","invert":false}""", "pre_tokenizer.pattern.Regex", "Klingon")]
    [InlineData("pre_tokenizer", """{"type":"Split","pattern":{"Regex":"a"},"behavior":"Shuffled"}""", "pre_tokenizer.behavior", "Shuffled", "Isolated")]
    [InlineData("pre_tokenizer", """{"type":"Metaspace","replacement":"ab"}""", "pre_tokenizer.replacement", "one character")]
    [InlineData("pre_tokenizer", """{"type":"Metaspace","prepend_scheme":"last"}""", "pre_tokenizer.prepend_scheme", "last", "first")]
    [InlineData("pre_tokenizer", """{"type":7}""", "pre_tokenizer.type", "a string", "7")]
    [InlineData("pre_tokenizer", "{}", "pre_tokenizer.type", "no such key")]
    [InlineData("decoder", """{"type":"CTC"}""", "decoder.type", "CTC", "ByteFallback")]
    [InlineData("decoder", """{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"ByteFallback"}]}""", "decoder.decoders[1]", "Fuse")]
    [InlineData("decoder", """{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Strip","content":" ","start":0,"stop":1}]}""", "decoder.decoders[1].stop")]
    [InlineData("post_processor", """{"type":"Odd"}""", "post_processor.type", "Odd", "TemplateProcessing")]
    [InlineData("post_processor", """{"type":"BertProcessing","sep":["a",999],"cls":["b",1]}""", "post_processor", "999")]
    [InlineData("post_processor", """{"type":"TemplateProcessing","single":[],"special_tokens":{}}""", "post_processor.single", "a sequence")]
    [InlineData("added_tokens", """[{"id":-1,"content":"x"}]""", "added_tokens[0].id", "-1")]
    [InlineData("added_tokens", """[{"id":2000000000,"content":"x"}]""", "added_tokens[0].id", "2000000000")]
    [InlineData("added_tokens", """[{"id":1e99,"content":"x"}]""", "added_tokens[0].id", "1e99")]
    [InlineData("added_tokens", """[{"id":300}]""", "added_tokens[0].content")]
    [InlineData("added_tokens", "{}", "added_tokens", "an array")]
    [InlineData("model", "null", "model")]
    [InlineData("model", """{"type":"WordPiece","vocab":{"a":0}}""", "model.type", "WordPiece", "BPE")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0}}""", "model.merges", "no such key")]
    [InlineData("model", """{"type":"BPE","vocab":{},"merges":[]}""", "300")]
    [InlineData("model", """{"type":"BPE","vocab":[["a",0]],"merges":[]}""", "model.vocab")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":4000000000},"merges":[]}""", "model.vocab[\"a\"]", "4000000000")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":1.5},"merges":[]}""", "model.vocab[\"a\"]", "1.5")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]}""", "model.merges[0]", "\"ab\"")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0,"b":1},"merges":["a"]}""", "model.merges[0]", "\"a\"")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0,"b":1},"merges":[["a"]]}""", "model.merges[0]")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0,"b":1},"merges":[7]}""", "model.merges[0]", "7")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0},"merges":{}}""", "model.merges", "an array")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0},"merges":[],"unk_token":"b"}""", "model.unk_token", "b")]
    [InlineData("model", """{"type":"BPE","vocab":{"a":0},"merges":[],"end_of_word_suffix":"</w>"}""", "model.end_of_word_suffix", "no affix")]
    [InlineData("model", """{"type":"Unigram","vocab":[["a",-1]]}""", "model.type", "ByteLevel")]
    public void PartsThatAreWrongOrUnknownAreNamed(string part, string json, params string[] words)
    {
        // Without its vocabulary the file has only the added token, whose id then lies behind a gap.
        if (words is ["300"]) Assert.Equal(301, Bytes().With(part, json).Open().VocabularySize);
        else Fails(Bytes().With(part, json), words);
    }

    [Theory]
    [InlineData("""[["a",-1],["b"]]""", "model.vocab[1]")]
    [InlineData("""[["a","x"]]""", "model.vocab[0]", "finite")]
    [InlineData("""[["a",1e999]]""", "model.vocab[0]", "finite")]
    [InlineData("""[7]""", "model.vocab[0]", "7")]
    [InlineData("""{"a":0}""", "model.vocab")]
    public void UnigramVocabulariesAreChecked(string vocabulary, params string[] words) =>
        Fails(SmallTokenizerJson.Unigram(null, ("a", -1)).WithModel("vocab", JsonNode.Parse(vocabulary)), words);

    [Fact]
    public void AnUnknownIdOutsideTheVocabularyIsNamed() => Fails(SmallTokenizerJson.Unigram(1, ("a", -1)), "model.unk_id", "1");

    [Fact]
    public void EveryTruncationIsOneTypedError()
    {
        byte[] whole = Encoding.UTF8.GetBytes(Bytes().ToJsonString());
        for (int length = 0; length < whole.Length; length += length < 64 ? 1 : 97)
            Assert.Throws<ModelFormatException>(() => SmallTokenizerJson.Open(whole.AsSpan(0, length)));
    }

    [Fact]
    public void ReplacedBytesGiveATokenizerOrOneTypedError()
    {
        byte[] whole = Encoding.UTF8.GetBytes(Bytes().With("normalizer", """{"type":"NFC"}""").ToJsonString());
        var random = new Random(5);
        for (int round = 0; round < 1500; round++)
        {
            byte[] damaged = (byte[])whole.Clone();
            for (int i = random.Next(1, 4); i > 0; i--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                SmallTokenizerJson.Open(damaged).EncodeText("ab <x> é");
            }
            catch (ModelFormatException)
            {
                // As it should be.
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{")]
    [InlineData("{}")]
    [InlineData("{} x")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"\ud800":0},"merges":[]}}""")]
    [InlineData("""{"added_tokens":[{"id":0,"content":"\ud800"}],"model":{"type":"BPE","vocab":{"a":0},"merges":[]}}""")]
    public void WhatIsNoTokenizerIsRefused(string json) => Assert.Throws<ModelFormatException>(() => SmallTokenizerJson.Open(Encoding.UTF8.GetBytes(json)));

    [Fact]
    public void DeepNestingIsRefused()
    {
        string normalizer = """{"type":"NFC"}""";
        for (int i = 0; i < 200; i++) normalizer = $$"""{"type":"Sequence","normalizers":[{{normalizer}}]}""";
        string json = Bytes().ToJsonString().Replace("\"normalizer\":null", $"\"normalizer\":{normalizer}", StringComparison.Ordinal);
        Assert.Contains("depth", Assert.Throws<ModelFormatException>(() => SmallTokenizerJson.Open(Encoding.UTF8.GetBytes(json))).Message, StringComparison.Ordinal);
        string pattern = new string('(', 60) + "a" + new string(')', 60);
        Fails(Bytes().With("normalizer", $$"""{"type":"Replace","pattern":{"Regex":"{{pattern}}"},"content":""}"""), "nested");
    }

    [Fact]
    public void ADamagedConfigurationIsNamed()
    {
        string folder = Directory.CreateTempSubdirectory("tokenizer").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, TokenizerJson.FileName), Bytes().ToJsonString());
            foreach (string configuration in (string[])["{", "[]", """{"bos_token":7}""", """{"added_tokens_decoder":{"x":{"content":"a"}}}"""])
            {
                File.WriteAllText(Path.Combine(folder, TokenizerJson.ConfigurationName), configuration);
                Assert.Contains(TokenizerJson.ConfigurationName, Assert.Throws<ModelFormatException>(() => Tokenizer.Open(folder)).Message, StringComparison.Ordinal);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
