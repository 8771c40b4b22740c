using System.Text.Json;

namespace Inference.Cli;

/// <summary>The split of a test's mean step as a table or as JSON. Rates are those of the products and of attention; a part without them reads or computes too little to matter.</summary>
internal static class ProfileReport
{
    public static void Write(TextWriter output, bool markdown, BenchTest test, StepProfile profile)
    {
        output.WriteLine();
        output.WriteLine($"{test.Name}, batch {test.Batch}, depth {test.Depth}: {profile.Steps} steps of {(double)profile.Rows / profile.Steps:0.#} rows, {Microseconds(profile.Seconds / profile.Steps)} us each");
        if (markdown) output.WriteLine();
        var table = new TextTable("operation", "us>", "share>", "GB/s>", "GOP/s>");
        foreach (StepPart part in Enum.GetValues<StepPart>())
        {
            PartCost cost = profile[part];
            table.Add(part.Name(), Microseconds(profile.PerStep(part)), $"{100 * cost.Seconds / profile.Seconds:F1} %", Rate(cost.Bytes, cost), Rate(cost.Operations, cost));
        }
        table.Write(output, markdown);
    }

    public static void WriteJson(Utf8JsonWriter json, StepProfile profile)
    {
        json.WriteStartObject("profile");
        json.WriteNumber("steps", profile.Steps);
        json.WriteNumber("rows", profile.Rows);
        json.WriteReal("step_us", Math.Round(1e6 * profile.Seconds / profile.Steps, 3));
        json.WriteArray("operations", Enum.GetValues<StepPart>(), part =>
        {
            PartCost cost = profile[part];
            json.WriteStartObject();
            json.WriteString("operation", part.Name());
            json.WriteReal("us", Math.Round(1e6 * profile.PerStep(part), 3));
            json.WriteReal("share", Math.Round(cost.Seconds / profile.Seconds, 5));
            if (cost.Bytes > 0) json.WriteReal("gb_per_second", Math.Round(cost.Bytes / cost.Seconds / 1e9, 3));
            if (cost.Operations > 0) json.WriteReal("gop_per_second", Math.Round(cost.Operations / cost.Seconds / 1e9, 3));
            json.WriteEndObject();
        });
        json.WriteEndObject();
    }

    private static string Microseconds(double seconds) => $"{seconds * 1e6:F1}";

    private static string Rate(long amount, PartCost cost) => amount == 0 ? "" : $"{amount / cost.Seconds / 1e9:F1}";
}
