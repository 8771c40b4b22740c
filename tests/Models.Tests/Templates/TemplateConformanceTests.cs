using System.Diagnostics;
using System.Text.Json;
using Inference.Models.Templates;
using Inference.Tests.Shared;

namespace Inference.Models.Tests;

/// <summary>Against what Jinja2 renders in the environment that Hugging Face sets up.</summary>
public class TemplateConformanceTests(ITestOutputHelper output)
{
    [Fact]
    public void All_cases_render_as_Jinja_does()
    {
        string folder = SharedData.Require("conformance", "templates");
        using JsonDocument conversations = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "_conversations.json")));
        int text = 0, raise = 0, typeErrors = 0;
        var wrong = new List<string>();
        var watch = new Stopwatch();
        string[] files = [.. Directory.GetFiles(folder, "*.json").Where(file => !Path.GetFileName(file).StartsWith('_')).Order()];
        foreach (string file in files)
        {
            using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(file));
            Template template = Template.Parse(document.RootElement.GetProperty("template").GetString()!);
            foreach (JsonElement test in document.RootElement.GetProperty("cases").EnumerateArray())
            {
                KeyValuePair<string, Value>[] variables = [.. Variables(test, conversations.RootElement)];
                string name = $"{Path.GetFileNameWithoutExtension(file)} {test.GetProperty("id").GetString()}";
                string kind = test.GetProperty("kind").GetString()!;
                string? expected = test.TryGetProperty("expected", out JsonElement expectedText) ? expectedText.GetString() : null;
                (string? rendered, string? error) = Render(template, variables, watch);
                if (kind == "type_error") typeErrors++;
                else if (kind == "text" && rendered == expected) text++;
                else if (kind == "raise" && error is not null) raise++;
                else wrong.Add($"{name} ({kind}): {(rendered is null ? "error " + error : Difference(expected, rendered))}");
            }
        }
        string line = $"{text} text exact, {raise} raise, {typeErrors} type_error (either way), {files.Length} templates, {watch.Elapsed.TotalMicroseconds / (text + raise + typeErrors):F0} us per render (each once, cold)";
        output.WriteLine(line);
        ConformanceLog.Write("templates", line);
        Assert.True(wrong.Count == 0, $"{wrong.Count} wrong:\n" + string.Join('\n', wrong.Take(20)));
        Assert.True(text > 0 && raise > 0);
    }

    private static (string? Text, string? Error) Render(Template template, KeyValuePair<string, Value>[] variables, Stopwatch watch)
    {
        watch.Start();
        try
        {
            return (template.Render(variables, TemplateText.Clock).Text, null);
        }
        catch (TemplateException e)
        {
            return (null, e.Message);
        }
        finally
        {
            watch.Stop();
        }
    }

    private static IEnumerable<KeyValuePair<string, Value>> Variables(JsonElement test, JsonElement conversations)
    {
        if (test.TryGetProperty("context", out JsonElement context)) return TemplateText.Variables(context);
        JsonElement conversation = conversations.GetProperty(test.GetProperty("conversation").GetString()!);
        return [.. TemplateText.Variables(conversation), .. TemplateText.Variables(test.GetProperty("extra"))];
    }

    private static string Difference(string? expected, string found)
    {
        if (expected is null) return "no error, but " + JsonSerializer.Serialize(found);
        int at = expected.AsSpan().CommonPrefixLength(found);
        return $"at {at}: expected {JsonSerializer.Serialize(expected[at..Math.Min(expected.Length, at + 60)])}, found {JsonSerializer.Serialize(found[at..Math.Min(found.Length, at + 60)])}";
    }
}
