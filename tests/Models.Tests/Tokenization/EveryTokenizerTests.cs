using System.Globalization;
using System.Text;

namespace Inference.Models.Tests;

/// <summary>What holds for the tokenizers of <c>../shared/conformance</c> whatever the text.</summary>
public class EveryTokenizerTests
{
    public static TheoryData<string, string> All => TokenizerFiles.All;

    public static TheoryData<string, string> ByteLevel => TokenizerFiles.ByteLevel;

    [Theory]
    [MemberData(nameof(ByteLevel))]
    public void RandomTextComesBack(string name, string file)
    {
        // All strings for the files that users have, a tenth for the same vocabularies as GGUF.
        int count = file == TokenizerFiles.Json ? 20_000 : 2_000;
        Tokenizer tokenizer = TokenizerFiles.Load(name, file);
        foreach (string text in RandomText.Strings(seed: 17, count))
        {
            string expected = name == "qwen3" ? UnicodeForms.Normalize(text, NormalizationForm.FormC) : text;
            int[] ids = tokenizer.Encode(text, addSpecial: false, parseSpecial: false);
            if (expected != tokenizer.Decode(ids, skipSpecial: false)) Assert.Fail($"{name}: {Escaped(text)} came back as {Escaped(tokenizer.Decode(ids, skipSpecial: false))}");
            // A special token would be left out.
            if (expected != tokenizer.Decode(ids, skipSpecial: true)) Assert.Fail($"{name}: {Escaped(text)} gave a special token");
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void TextThatSpellsSpecialTokensStaysText(string name, string file)
    {
        Tokenizer tokenizer = TokenizerFiles.Load(name, file);
        int checkedTokens = 0;
        for (int id = 0; id < tokenizer.VocabularySize; id++)
        {
            if (!tokenizer.IsSpecial(id)) continue;
            foreach (string text in (string[])[tokenizer.Spelling(id), $"a{tokenizer.Spelling(id)} b"])
            {
                Assert.Contains(id, tokenizer.Encode(text, addSpecial: false, parseSpecial: true));
                int[] plain = tokenizer.Encode(text, addSpecial: false, parseSpecial: false);
                Assert.DoesNotContain(plain, tokenizer.IsSpecial);
                Assert.Equal(text, tokenizer.Decode(plain, skipSpecial: true));
            }
            checkedTokens++;
        }
        Assert.True(checkedTokens > 0);
    }

    /// <summary>Quadratic work would not end here; no time is asserted.</summary>
    [Theory]
    [InlineData("qwen3", 'a')]
    [InlineData("deepseek_v3", ' ')]
    [InlineData("gptoss", '(')]
    [InlineData("llama2", ' ')]
    [InlineData("gemma3", 'a')]
    [InlineData("mistral_v3", '(')]
    public void AMegabyteOfOneCharacterComesBack(string name, char character)
    {
        Tokenizer tokenizer = TokenizerFiles.Load(name, TokenizerFiles.Json);
        string text = new(character, 1 << 20);
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text, addSpecial: false, parseSpecial: true), skipSpecial: false));
    }

    [Theory]
    [MemberData(nameof(ByteLevel))]
    public void ALongTextEncodesAsItsParagraphs(string name, string file)
    {
        // Cached pieces, pieces seen first, and the package while it is being made must agree.
        Tokenizer tokenizer = TokenizerFiles.Load(name, file);
        string[] lines = [.. TokenizerFiles.Cases(name).Where(c => c.Category is "ascii" or "code" or "cjk" or "mixed").Select(c => c.Text.Trim() + "x\n")];
        int[] parts = [.. lines.SelectMany(line => tokenizer.Encode(line, addSpecial: false, parseSpecial: false))];
        for (int i = 0; i < 3; i++) Assert.Equal(parts, tokenizer.Encode(string.Concat(lines), addSpecial: false, parseSpecial: false));
    }

    private static string Escaped(string text) => string.Concat(text.Select(character => character is > ' ' and < '\x7F' ? character.ToString() : "\\u" + ((int)character).ToString("X4", CultureInfo.InvariantCulture)));
}
