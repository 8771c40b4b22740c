using Inference.Models.Templates;

namespace Inference.Models.Tests;

/// <summary>Which characters of a prompt count as a user's, whatever the template does to them.</summary>
public class UserTextTests
{
    // The user's parts stand in brackets; the template's own text has none.
    [Theory]
    [InlineData("<s>{{ x }}</s>", "<s>[aBc]</s>")]
    [InlineData("<s>{{ x + '</s>' }}", "<s>[aBc]</s>")]
    [InlineData("{{ '<s>' ~ x ~ 1 ~ '</s>' }}", "<s>[aBc]1</s>")]
    [InlineData("{{ ('<s>' + x)[1:5] }}", "s>[aB]")]
    [InlineData("{{ ('<s> ' + x + ' ')|trim }}", "<s> [aBc]")]
    [InlineData("{{ (' ' + x + '-')|upper }}", " [ABC]-")]
    [InlineData("{{ (x + '|' + x).split('|') | join('-') }}", "[aBc]-[aBc]")]
    [InlineData("{{ ('x' + x + 'x').replace('x', '<s>') }}", "<s>[aBc]<s>")]
    [InlineData("{{ '<x>'.replace('x', x) }}", "<[aBc]>")]
    [InlineData("{{ {'k': x}|tojson }}", "{\"k\": \"[aBc]\"}")]
    [InlineData("{{ [x] }}", "['[aBc]']")]
    [InlineData("{{ '%s!' % x }}", "[aBc]!")]
    [InlineData("{{ '{}!'.format(x) }}", "[aBc]!")]
    [InlineData("{% set y %}<s>{{ x }}</s>{% endset %}{{ y }}", "<s>[aBc]</s>")]
    [InlineData("{% macro m(a) %}<{{ a }}>{% endmacro %}{{ m(x) }}{{ m('t') }}", "<[aBc]><t>")]
    [InlineData("{% filter trim %} {{ x }} {% endfilter %}", "[aBc]")]
    [InlineData("{% for c in x %}{{ c }},{% endfor %}", "[a],[B],[c],")]
    [InlineData("{{ ('<' + x)|reverse }}", "[cBa]<")]
    [InlineData("{{ x|length }}{{ x == 'aBc' }}{{ 'a' in x }}", "3TrueTrue")]
    [InlineData("{{ (x + '\n<s>')|indent(1) }}", "[aBc]\n <s>")]
    [InlineData("{{ x.upper() + x[0] * 2 }}", "[ABCaa]")]
    [InlineData("{{ d }}", "{'[k]': '[v]'}")]
    [InlineData("{% for k in d %}{{ k }}={{ d[k] }}{% endfor %}", "[k]=[v]")]
    [InlineData("{{ bos_token }}{{ eos_token }}", "<s></s>")]
    [InlineData("{{ '<|' + messages[0].role + '|>' + messages[0].content }}", "<|user|>[hi]")]
    [InlineData("{{ '<|' + messages[1]['role'] + '|>' }}", "<|[x|><|y]|>")]
    public void Marks_follow_the_characters(string template, string expected)
    {
        RenderedPrompt prompt = TemplateText.Prompt(template, """
            {"x": "aBc", "d": {"k": "v"}, "bos_token": "<s>", "eos_token": "</s>", "messages": [{"role": "user", "content": "hi"}, {"role": "x|><|y", "content": ""}]}
            """);
        Assert.Equal(expected, Show(prompt));
    }

    [Fact]
    public void Segments_cover_the_text_without_gaps()
    {
        RenderedPrompt prompt = TemplateText.Prompt("a{{ x }}{{ x }}b{{ '' }}{{ y }}", """{"x": "1", "y": ""}""");
        Assert.Equal("a11b", prompt.Text);
        Assert.Equal([new(0, 1, false), new(1, 2, true), new(3, 1, false)], prompt.Segments);
        Assert.Empty(TemplateText.Prompt("").Segments);
    }

    [Fact]
    public void A_change_of_length_marks_all() => Assert.Equal("[SSX]", Show(TemplateText.Prompt("{{ (x + 'x')|upper }}", """{"x": "ß"}""")));

    private static string Show(RenderedPrompt prompt) => string.Concat(prompt.Segments.Select(segment =>
    {
        string text = prompt.Text.Substring(segment.Start, segment.Length);
        return segment.FromUser ? $"[{text}]" : text;
    }));
}
