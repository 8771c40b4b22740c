using System.Text.RegularExpressions;

namespace Inference.Models.Tests;

/// <summary>The pattern engine against matches read off by hand, and against .NET's on text where both mean the same.</summary>
public class TextPatternTests
{
    [Theory]
    [InlineData("a+b?", "aab ab b", "aab|ab")]
    [InlineData("a*?b", "aab", "aab")]
    [InlineData("a{2}", "aaaaa", "aa|aa")]
    [InlineData("a{2,}", "aaaaa a", "aaaaa")]
    [InlineData("a{,2}b", "aaab", "aab")]
    [InlineData("a{x", "a{x", "a{x")]
    [InlineData("[^\\s\\d]+", "ab 1c", "ab|c")]
    [InlineData("[]a-c\\-&]+", "]b-&d", "]b-&")]
    [InlineData("[^(a|[.,]b)]+", "xy,z(b.a|w", "xy|z|w")]
    [InlineData("[a-f&&[^c-d]&&b-e]+", "abcdef", "b|e")]
    [InlineData("[^a-f&&[^c-d]]+", "abcdx", "cdx")]
    [InlineData("[\\p{Lo}&&[^\\p{Han}]]+", "あ漢い", "あ|い")]
    [InlineData("(?:ab|a)c", "abcac", "abc|ac")]
    [InlineData("(?>a+)a|b", "aab", "b")]
    [InlineData("a++a|b", "aab", "b")]
    [InlineData("x?+xy", "xxy xy", "xxy")]
    [InlineData("(?:ab){2,3}?", "ababab", "abab")]
    [InlineData("(ab)+", "ababa", "abab")]
    [InlineData("\\w+(?=!)", "ab cd!", "cd")]
    [InlineData("\\w(?!!)", "a!b", "b")]
    [InlineData("(?<=a)b|(?<!a)c", "abcac", "b|c")]
    [InlineData("^a|b$", "ab\nab\nb", "a|b|a|b|b")]
    [InlineData("\\Aa|b\\z", "ab\nab", "a|b")]
    [InlineData("b\\Z", "ab\n", "b")]
    [InlineData("(?i)straße|k", "STRAßE K\u212A", "STRAßE|K|\u212A")]
    [InlineData("(?i:'s)x", "'Sx 'ſx 'SX", "'Sx|'ſx")]
    [InlineData("a(?i)b|c", "aB C", "aB|C")]
    [InlineData("\\x41\\x{1F600}|\\u00e9", "A😀é", "A😀|é")]
    [InlineData(".", "😀\n", "😀")]
    [InlineData("\\p{Lu}\\p{^Lu}|\\P{L}", "Ab1", "Ab|1")]
    [InlineData("\\p{Han}+", "漢𠀀a", "漢𠀀")]
    [InlineData("[[:alpha:]]+", "ab1", "ab")]
    [InlineData("(?<name>a)", "a", "a")]
    public void MatchesAreThoseOfTheSyntax(string pattern, string text, string matches) => Assert.Equal(matches, Find(TextPattern.Parse(pattern), text));

    [Fact]
    public void AnEmptyMatchCountsWhereNoneEndedBefore()
    {
        Assert.Equal("0-0 1-1 2-3", string.Join(' ', Places("b*", "aab")));
        Assert.Equal("2-2", string.Join(' ', Places("(?<=[a-z])(?=[A-Z])", "abCD")));
    }

    [Theory]
    [InlineData("(a")]
    [InlineData("a)")]
    [InlineData("[a")]
    [InlineData("*a")]
    [InlineData("a\\")]
    [InlineData("\\p{Nope}")]
    [InlineData("\\p")]
    [InlineData("[b-a]")]
    [InlineData("a{3,2}")]
    [InlineData("(?x)a")]
    [InlineData("(a*)*")]
    [InlineData("(?<=a+)b")]
    [InlineData("(?=a)*")]
    [InlineData("\\k<a>")]
    [InlineData("\\x{110000}")]
    [InlineData("((((a{1,99}){1,99}){1,99}){1,99}b){2}")]
    public void WhatIsNotSupportedIsRefused(string pattern) => Assert.Throws<FormatException>(() => TextPattern.Parse(pattern));

    /// <summary>An independent engine, on text of the basic plane; its IgnoreCase leaves the long s out, so that one is left out here.</summary>
    [Theory]
    [InlineData(KnownPatterns.Gpt2)]
    [InlineData(KnownPatterns.Qwen2)]
    [InlineData(KnownPatterns.Llama3)]
    [InlineData(KnownPatterns.Gpt4O)]
    [InlineData(KnownPatterns.Tekken)]
    [InlineData(KnownPatterns.DeepSeek3)]
    [InlineData(KnownPatterns.FalconSymbols)]
    [InlineData(@"(?<=\s)\p{L}+|[^\s\p{N}]{2,4}?|(?:a|b\s)+|\S(?!\s)")]
    public void MatchesAgreeWithDotNet(string pattern)
    {
        TextPattern ours = TextPattern.Parse(pattern);
        var reference = new Regex(pattern, RegexOptions.CultureInvariant);
        foreach (string text in RandomText.Strings(seed: 11, count: 2000))
        {
            string basic = string.Concat(text.Where(character => !char.IsSurrogate(character) && character is not ('\u017F' or '\u00B2' or '\u00B3' or '\u00B9' or '\u00BC' or '\u00BD' or '\u00BE')));
            Assert.Equal(reference.EnumerateMatches(basic).ToEnumerable(), Spans(ours, basic));
        }
    }

    [Fact]
    public void APatternThatBacktracksWithoutEndIsStopped()
    {
        TextPattern pattern = TextPattern.Parse("(a|aa)+b");
        Assert.Throws<PatternBudgetException>(() => Find(pattern, new string('a', 60)));
        Tokenizer tokenizer = SmallTokenizerJson.ByteLevel().With("pre_tokenizer", """{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(a|aa)+b"},"behavior":"Isolated"},{"type":"ByteLevel","use_regex":false}]}""").Open();
        Assert.Contains("pre_tokenizer", Assert.Throws<ModelFormatException>(() => tokenizer.EncodeText(new string('a', 60))).Message, StringComparison.Ordinal);
        // A repeated group is a call inside a call; the stack has an end.
        Assert.Throws<PatternBudgetException>(() => Find(TextPattern.Parse("(?:ab)+"), string.Concat(Enumerable.Repeat("ab", 1_000_000))));
    }

    private static string Find(TextPattern pattern, string text) => string.Join('|', Spans(pattern, text).Select(span => text.Substring(span.Index, span.Length)));

    private static List<string> Places(string pattern, string text) => [.. Spans(TextPattern.Parse(pattern), text).Select(span => $"{span.Index}-{span.Index + span.Length}")];

    private static List<(int Index, int Length)> Spans(TextPattern pattern, string text)
    {
        var spans = new List<(int, int)>();
        TextPattern.Matches matches = pattern.EnumerateMatches(text);
        while (matches.MoveNext()) spans.Add((matches.Start, matches.End - matches.Start));
        return spans;
    }
}

internal static class RegexMatches
{
    /// <summary>Place and length of each match.</summary>
    public static List<(int Index, int Length)> ToEnumerable(this Regex.ValueMatchEnumerator matches)
    {
        var found = new List<(int, int)>();
        foreach (ValueMatch match in matches) found.Add((match.Index, match.Length));
        return found;
    }
}
