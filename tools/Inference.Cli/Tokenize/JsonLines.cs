using System.Text.Json;

namespace Inference.Cli;

/// <summary>A file with one JSON object on each line.</summary>
internal static class JsonLines
{
    /// <summary>Reads line by line; blank lines are passed over.</summary>
    /// <param name="path">The file, or <c>-</c> for standard input.</param>
    /// <param name="console">For standard input.</param>
    /// <param name="member">Name of the member that is wanted.</param>
    /// <param name="read">Reads it; null where it is of the wrong kind.</param>
    /// <param name="expected">What it must be, for the message.</param>
    /// <exception cref="IOException">The file cannot be read, or a line is not as expected.</exception>
    public static IEnumerable<T> Read<T>(string path, CliConsole console, string member, Func<JsonElement, T?> read, string expected) where T : class
    {
        foreach ((int number, string line) in Lines(path, console))
            yield return ReadMember(line, member, read) ?? throw new InvalidDataException($"{path}: line {number}: expected a JSON object with {expected} in \"{member}\"");
    }

    /// <summary>The lines that are not blank, with their numbers from 1.</summary>
    /// <param name="path">The file, or <c>-</c> for standard input.</param>
    /// <param name="console">For standard input.</param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static IEnumerable<(int Number, string Text)> Lines(string path, CliConsole console)
    {
        using TextReader? file = path == "-" ? null : OpenFile(path);
        TextReader reader = file ?? console.In;
        for (int number = 1; reader.ReadLine() is { } line; number++)
        {
            console.Cancellation.ThrowIfCancellationRequested();
            if (!string.IsNullOrWhiteSpace(line)) yield return (number, line);
        }
    }

    private static T? ReadMember<T>(string line, string member, Func<JsonElement, T?> read) where T : class
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(member, out JsonElement value) ? read(value) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Not JSON, or a string with half a surrogate pair.
            return null;
        }
    }

    private static StreamReader OpenFile(string path)
    {
        if (Directory.Exists(path)) throw new IOException($"{path}: is a folder; a text file is expected");
        if (!File.Exists(path)) throw new FileNotFoundException($"{path}: no such file", path);
        return new StreamReader(path);
    }
}
