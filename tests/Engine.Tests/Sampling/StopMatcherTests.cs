using CsCheck;
using Inference.Sampling;

namespace Inference.Tests.Sampling;

public class StopMatcherTests
{
    private static (string Text, bool Stopped) Run(string[] stops, IEnumerable<string> pieces)
    {
        var matcher = new StopMatcher(stops);
        string text = "";
        foreach (string piece in pieces)
        {
            text += matcher.Append(piece, mayStop: true, out bool stopped);
            if (stopped) return (text, true);
        }
        return (text + matcher.Flush(), false);
    }

    [Fact]
    public void Text_ends_before_the_first_stop_string_however_it_is_split()
    {
        Gen.Select(Gen.Char["abc"].Array[0, 30], Gen.Char["abc"].Array[1, 4].Array[1, 3], Gen.Int[1, 5].Array[1, 8]).Sample((chars, stopChars, lengths) =>
        {
            string all = new(chars);
            string[] stops = [.. stopChars.Select(c => new string(c))];
            List<string> pieces = [];
            for (int at = 0, i = 0; at < all.Length; at += lengths[i++ % lengths.Length]) pieces.Add(all[at..Math.Min(all.Length, at + lengths[i % lengths.Length])]);
            // Streaming stops at the stop string that is complete first; among those complete in one piece, at the one that begins first.
            (string text, bool stopped) = Run(stops, pieces);
            bool contains = stops.Any(s => all.Contains(s, StringComparison.Ordinal));
            Assert.Equal(contains, stopped);
            Assert.StartsWith(text, all, StringComparison.Ordinal);
            if (!contains) Assert.Equal(all, text);
            else
            {
                Assert.DoesNotContain(stops, s => text.Contains(s, StringComparison.Ordinal));
                Assert.Contains(stops, s => all[text.Length..].StartsWith(s, StringComparison.Ordinal));
            }
        }, iter: 2000);
    }

    [Fact]
    public void Text_that_may_become_a_stop_string_is_held_back()
    {
        var matcher = new StopMatcher(["\n\nQ"]);
        Assert.Equal("hello", matcher.Append("hello\n", true, out _));
        Assert.Equal("", matcher.Append("\n", true, out _));
        Assert.Equal("\n\nA", matcher.Append("A", true, out _));
        Assert.Equal("!", matcher.Append("!\n\nQ: more", true, out bool stopped));
        Assert.True(stopped);
    }

    [Fact]
    public void A_stop_string_passes_while_stopping_is_not_allowed()
    {
        var matcher = new StopMatcher(["b"]);
        Assert.Equal("abc", matcher.Append("abc", mayStop: false, out bool stopped));
        Assert.False(stopped);
    }
}
