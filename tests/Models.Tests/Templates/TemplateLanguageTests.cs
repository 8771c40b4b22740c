using System.Text.Json;
using Inference.Models.Templates;
using Inference.Tests.Shared;

namespace Inference.Models.Tests;

/// <summary>The language piece by piece: against Jinja2 (language-cases.json, see making/), and against results derived by hand.</summary>
public class TemplateLanguageTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_piece_renders_as_in_Jinja()
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(SharedData.Root, "tests", "Models.Tests", "Templates", "language-cases.json")));
        KeyValuePair<string, Value>[] variables = [.. TemplateText.Variables(document.RootElement.GetProperty("variables"))];
        int texts = 0, errors = 0;
        var wrong = new List<string>();
        foreach (JsonElement test in document.RootElement.GetProperty("cases").EnumerateArray())
        {
            string template = test[0].GetString()!;
            string? expected = test[1].GetString(), found;
            try
            {
                found = Template.Parse(template).Render(variables, TemplateText.Clock).Text;
            }
            catch (TemplateException)
            {
                found = null;
            }
            if (found != expected) wrong.Add($"{JsonSerializer.Serialize(template)}: expected {JsonSerializer.Serialize(expected)}, found {JsonSerializer.Serialize(found)}");
            else if (expected is null) errors++;
            else texts++;
        }
        output.WriteLine($"{texts} texts, {errors} errors");
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Take(20)));
        Assert.True(texts > 1000 && errors > 100);
    }

    [Theory]
    [InlineData("a\n  {% if true %}\n  b\n  {% endif %}\nc\n", "a\n  b\nc")]
    [InlineData("a \n {%- if true -%} \n b {%- endif %} c", "ab c")]
    [InlineData("  {%+ if true +%}\nx{% endif %}", "  \nx")]
    [InlineData("{# one #}\n  {# two #}\nx", "x")]
    [InlineData("{% raw %}{{ x }}{% endraw %}\n\ny\n\n", "{{ x }}\ny\n")]
    [InlineData("a\r\nb\rc", "a\nb\nc")]
    public void White_space_goes_as_blocks_are_trimmed(string template, string expected) => Assert.Equal(expected, TemplateText.Render(template));

    [Theory]
    [InlineData("{{ strftime_now('%d %B %Y, %H:%M') }}", "10 July 2025, 12:00")]
    [InlineData("{{ strftime_now('%-d %b %y %A %j %p %I') }}", "10 Jul 25 Thursday 191 PM 12")]
    [InlineData("{% set n = 9007199254740993 %}{{ n }} {{ n * n }}", "9007199254740993 81129638414606699710187514626049")]
    [InlineData("{{ 'a😀b'|length }} {{ 'a😀b'[1] }} {{ 'a😀b'[::-1] }}", "3 😀 b😀a")]
    [InlineData("{{ {'b': 1, 'a': [none, true, 1.0, 'x']} }}", "{'b': 1, 'a': [None, True, 1.0, 'x']}")]
    [InlineData("{{ {'b': '<é>', 'a': 1}|tojson }}", "{\"b\": \"<é>\", \"a\": 1}")]
    public void Values_print_as_in_Python(string template, string expected) => Assert.Equal(expected, TemplateText.Render(template));

    [Fact]
    public void Numbers_of_JSON_keep_their_kind()
    {
        const string json = """{"x": [1, 1.0, -0, 1e2, 18446744073709551615, 0.1]}""";
        Assert.Equal("[1, 1.0, 0, 100.0, 18446744073709551615, 0.1]", TemplateText.Render("{{ x }}", json));
        Assert.Equal("[1, 1.0, 0, 100.0, 18446744073709551615, 0.1]", TemplateText.Render("{{ x|tojson }}", json));
    }

    [Fact]
    public void Of_equal_names_in_JSON_the_last_counts() => Assert.Equal("{'a': 2}", TemplateText.Render("{{ x }}", """{"x": {"a": 1, "a": 2}}"""));

    [Fact]
    public void Half_a_surrogate_pair_in_JSON_is_an_error() => Assert.Throws<TemplateException>(() => TemplateText.Render("{{ x }}", """{"x": "\ud83d"}"""));

    [Fact]
    public void A_template_serves_many_threads()
    {
        var template = Template.Parse("{% macro m(x) %}<{{ x }}>{% endmacro %}{% for i in range(n) %}{{ m(i) }}{% endfor %}");
        Parallel.For(0, 200, i =>
        {
            string text = template.Render([new("n", Value.Of((long)(i % 20)))], TimeProvider.System).Text;
            Assert.Equal(string.Concat(Enumerable.Range(0, i % 20).Select(n => $"<{n}>")), text);
        });
    }

    [Fact]
    public void A_render_after_a_failed_one_starts_afresh()
    {
        var template = Template.Parse("a{% set x = 1 %}{{ y.z }}b");
        Assert.Throws<TemplateException>(() => template.Render([], TimeProvider.System));
        Assert.Equal("a2b", template.Render([new("y", Value.Dict(Dict("z", Value.Of(2L))))], TimeProvider.System).Text);
    }

    private static DictValue Dict(string key, Value value)
    {
        var dict = new DictValue();
        dict.Set(Value.Of(key), value);
        return dict;
    }
}
