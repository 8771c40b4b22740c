using System.Text;
using System.Text.RegularExpressions;
using CsCheck;

namespace Inference.Tests;

/// <summary>The thinking block apart from the answer, however the text arrives.</summary>
public class ThinkingSplitterTests
{
    private static readonly ThinkingTags Tags = new("<think>", "</think>");

    private static (string Thought, string Answer) Split(IEnumerable<string> parts, ThinkingTags? tags, bool opened)
    {
        var splitter = new ThinkingSplitter(tags, opened);
        StringBuilder thought = new(), answer = new();
        foreach (string part in parts) Add(splitter.Append(part));
        Add(splitter.Flush());
        return (thought.ToString(), answer.ToString());

        void Add((string Thought, string Answer) text)
        {
            thought.Append(text.Thought);
            answer.Append(text.Answer);
        }
    }

    [Theory]
    [InlineData("<think>\nLet me see.\n\nYes.\n</think>\n\nForty-two.", false, "Let me see.\n\nYes.", "Forty-two.")]
    [InlineData("\n<think>a</think>b", false, "a", "b")]
    [InlineData("Let me see.\n</think>\n\nForty-two.", true, "Let me see.", "Forty-two.")]
    [InlineData("<think>\n\n</think>\n\nAt once.", false, "", "At once.")]
    [InlineData("No thoughts, but <think>a tag</think>.", false, "", "No thoughts, but <think>a tag</think>.")]
    [InlineData("<think>cut off in the mid</thi", false, "cut off in the mid</thi", "")]
    [InlineData("<think>a < b </ c</think>  indented\n", false, "a < b </ c", "  indented\n")]
    [InlineData("<think>a</think>b</think>c", false, "a", "b</think>c")]
    [InlineData("<thin", false, "", "<thin")]
    [InlineData(" \n", false, "", " \n")]
    [InlineData("", true, "", "")]
    public void The_block_is_apart_and_its_newlines_are_nobodys(string text, bool opened, string thought, string answer)
    {
        Assert.Equal((thought, answer), Split([text], Tags, opened));
        Assert.Equal((thought, answer), Split(text.Select(c => c.ToString()), Tags, opened));
    }

    [Fact]
    public void Without_a_family_that_thinks_everything_is_answer() =>
        Assert.Equal(("", "<think>a</think>b"), Split(["<think>a</", "think>b"], null, false));

    [Fact]
    public void Any_division_of_the_text_gives_the_same_parts()
    {
        Gen<string> pieces = Gen.OneOf(new[] { "<think>", "</think>", "<", "</", "think>", "\n", " ", "a", "bc", "\r\n" }.Select(Gen.Const).ToArray());
        Gen.Select(pieces.Array[0, 12], Gen.Int[1, 5].Array[1, 20], Gen.Bool).Sample((words, sizes, opened) =>
        {
            string text = string.Concat(words);
            List<string> parts = [];
            for (int at = 0, i = 0; at < text.Length; at += parts[^1].Length) parts.Add(text.Substring(at, Math.Min(sizes[i++ % sizes.Length], text.Length - at)));
            Assert.Equal(Whole(text, opened), Split(parts, Tags, opened));
        }, iter: 20_000);
    }

    /// <summary>The whole text at once, by regular expression.</summary>
    private static (string Thought, string Answer) Whole(string text, bool opened)
    {
        Match match = Regex.Match(text, (opened ? "^" : @"^\s*<think>") + @"[\r\n]*(?<thought>.*?)[\r\n]*(</think>[\r\n]*(?<answer>.*)|\z)", RegexOptions.Singleline);
        return match.Success ? (match.Groups["thought"].Value, match.Groups["answer"].Value) : ("", text);
    }

    [Theory]
    [InlineData("{% if enable_thinking is false %}<think>\n\n</think>{% endif %}", "<think>")]
    [InlineData("{{ '[THINK]' + m.thinking + '[/THINK]' }}", "[THINK]")]
    [InlineData("{% for m in messages %}{{ m.content }}{% endfor %}", null)]
    public void The_template_tells_the_family(string template, string? open) => Assert.Equal(open, ThinkingTags.Of(template)?.Open);

    [Theory]
    [InlineData("<|im_start|>assistant\n<think>\n", true)]
    [InlineData("<|im_start|>assistant\n<think>\n\n</think>\n\n", false)]
    [InlineData("<|im_start|>assistant\n", false)]
    public void A_prompt_may_open_the_block(string prompt, bool open) => Assert.Equal(open, Tags.IsOpenAfter(prompt));
}
