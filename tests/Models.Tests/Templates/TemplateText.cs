using System.Text.Json;
using Inference.Models.Templates;

namespace Inference.Models.Tests;

/// <summary>Renders templates for tests.</summary>
internal static class TemplateText
{
    /// <summary>The clock of the conformance cases: 10 July 2025, 12:00.</summary>
    public static TimeProvider Clock { get; } = new FixedClock(new DateTimeOffset(2025, 7, 10, 12, 0, 0, TimeSpan.Zero));

    public static string Render(string template, string variables = "{}") => Prompt(template, variables).Text;

    public static RenderedPrompt Prompt(string template, string variables = "{}")
    {
        using JsonDocument document = JsonDocument.Parse(variables);
        return Template.Parse(template).Render([.. Variables(document.RootElement)], Clock);
    }

    public static IEnumerable<KeyValuePair<string, Value>> Variables(JsonElement members)
    {
        foreach (JsonProperty member in members.EnumerateObject()) yield return new(member.Name, JsonValues.Variable(member.Name, member.Value));
    }

    private sealed class FixedClock(DateTimeOffset now) : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

        public override DateTimeOffset GetUtcNow() => now;
    }
}
