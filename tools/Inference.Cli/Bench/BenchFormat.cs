using System.CommandLine;
using System.Text.Json;

namespace Inference.Cli;

/// <summary>How results of a benchmark are printed.</summary>
internal static class BenchFormat
{
    public static Option<string?> Option() => CliOption.Choice("--format", "Output. Default text.", "text", "md", "json");

    /// <summary>Prints the table, or for <c>json</c> one object.</summary>
    public static void Write(TextWriter output, string? format, TextTable table, Action<Utf8JsonWriter> json)
    {
        if (format == "json") JsonText.Write(output, json);
        else table.Write(output, markdown: format == "md");
        output.Flush();
    }
}
