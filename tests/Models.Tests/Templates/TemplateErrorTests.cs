using System.Text.Json;
using Inference.Tests.Shared;

namespace Inference.Models.Tests;

/// <summary>Broken templates: one exception with the line, whatever is wrong.</summary>
public class TemplateErrorTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(1, "{{ x")]
    [InlineData(2, "a\n{% if x")]
    [InlineData(3, "a\n\n{# never closed")]
    [InlineData(2, "\n{{ 'abc }}")]
    [InlineData(2, "{% if x %}\n{% foo %}\n{% endif %}")]
    [InlineData(1, "{% if x %}\n\n")]
    [InlineData(3, "{% for x in y %}\n\n{{ x + }}{% endfor %}")]
    [InlineData(2, "{{ 1 }}\n{{ 1) }}")]
    [InlineData(2, "{{ [1,\n2} }}")]
    [InlineData(1, "{% set 1 = 2 %}")]
    [InlineData(1, "{% endif %}")]
    [InlineData(2, "\n{{ $ }}")]
    [InlineData(1, "{% macro m(a=1, b) %}{% endmacro %}")]
    [InlineData(1, "{{ f(a=1, 2) }}")]
    [InlineData(1, "{% break %}")]
    [InlineData(1, "{% for loop in x %}{% endfor %}")]
    [InlineData(1, "{% raw %}{{ x }}")]
    [InlineData(1, "{{ '\\xZZ' }}")]
    public void A_malformed_template_names_the_line(int line, string template)
    {
        TemplateException error = Assert.Throws<TemplateException>(() => TemplateText.Render(template));
        Assert.Equal(line, error.Line);
        Assert.Contains($"line {line}", error.Message);
    }

    [Theory]
    [InlineData(2, "a\n{{ x.y }}", "'x' is undefined")]
    [InlineData(2, "a\n{{ d.x.y }}", "'x'")]
    [InlineData(3, "\n\n{{ 'a' + 1 }}", "'+'")]
    [InlineData(1, "{{ raise_exception('no such role') }}", "no such role")]
    [InlineData(4, "{% macro m() %}\n\n\n{{ raise_exception('deep') }}{% endmacro %}{{ m() }}", "deep")]
    [InlineData(2, "\n{{ 1|nofilter }}", "nofilter")]
    [InlineData(2, "\n{{ 1 is notest }}", "notest")]
    [InlineData(2, "\n{% include 'x' %}", "include")]
    [InlineData(2, "\n{{ 'a'.upper(1) }}", "upper")]
    [InlineData(2, "\n{{ 1|int(defalt=2) }}", "defalt")]
    [InlineData(2, "\n{% set d.x = 1 %}", "namespace")]
    public void A_template_that_fails_names_the_line_and_what_is_wrong(int line, string template, string reason)
    {
        TemplateException error = Assert.Throws<TemplateException>(() => TemplateText.Render(template, """{"d": {}}"""));
        Assert.Equal(line, error.Line);
        Assert.Contains(reason, error.Reason);
        Assert.Equal($"chat template, line {line}: {error.Reason}", error.Message);
    }

    /// <summary>Mutants of working templates: they render, or they fail with the one exception.</summary>
    [Fact]
    public void Nothing_but_TemplateException_comes_of_random_damage()
    {
        string[] sources = [.. Sources()];
        string[] pieces = ["{{", "}}", "{%", "%}", "{#", "#}", "-", "(", ")", "[", "]", "{", "}", "|", ".", ",", ":", "'", "\"", "\\", "if", "for", "in", "endfor", "endif", "macro", "set", "not", "is",
            "+", "*", "**", "//", "%", "~", "<", "==", "1", "0", "99999999999999999999", "1e400", "x", "loop", "none", "\n", "\0", "é", "😀", "\ud83d", "namespace()", "range(9)", "|map", "|list", "recursive", "call", "filter", "else"];
        var random = new Random(12345);
        int rendered = 0, failed = 0;
        for (int i = 0; i < 4000; i++)
        {
            string template = Damage(sources[random.Next(sources.Length)], pieces, random);
            try
            {
                TemplateText.Render(template, """{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": null}], "l": [3, 1], "s": "ab", "d": {"a": 1}, "tools": [{"function": {"name": "f"}}]}""");
                rendered++;
            }
            catch (TemplateException)
            {
                failed++;
            }
        }
        output.WriteLine($"{rendered} rendered, {failed} failed");
        Assert.True(rendered > 100 && failed > 1000);
    }

    private static IEnumerable<string> Sources()
    {
        using JsonDocument cases = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(SharedData.Root, "tests", "Models.Tests", "Templates", "language-cases.json")));
        foreach (JsonElement test in cases.RootElement.GetProperty("cases").EnumerateArray()) yield return test[0].GetString()!;
        if (SharedData.Folder is null) yield break;
        foreach (string file in Directory.EnumerateFiles(Path.Combine(SharedData.Folder, "conformance", "templates"), "*.json").Where(file => !Path.GetFileName(file).StartsWith('_')))
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            // Several times, since the others are many.
            for (int i = 0; i < 10; i++) yield return document.RootElement.GetProperty("template").GetString()!;
        }
    }

    private static string Damage(string template, string[] pieces, Random random)
    {
        for (int n = random.Next(1, 5); n > 0 && template.Length > 0; n--)
        {
            int at = random.Next(template.Length), length = random.Next(Math.Min(8, template.Length - at) + 1);
            template = random.Next(3) switch
            {
                0 => template.Remove(at, length),
                1 => template.Insert(at, pieces[random.Next(pieces.Length)]),
                _ => template.Insert(at, template.Substring(random.Next(template.Length - length + 1), length)),
            };
        }
        return template;
    }
}
