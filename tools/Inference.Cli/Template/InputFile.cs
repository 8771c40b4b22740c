using System.Text.Json;

namespace Inference.Cli;

/// <summary>Reads a file that an option names.</summary>
internal static class InputFile
{
    /// <exception cref="IOException">It is not there or cannot be read.</exception>
    public static string ReadText(string path)
    {
        if (Directory.Exists(path)) throw new IOException($"{path}: is a folder; a text file is expected");
        if (!File.Exists(path)) throw new FileNotFoundException($"{path}: no such file", path);
        return File.ReadAllText(path);
    }

    /// <exception cref="IOException">It is not there, cannot be read, or is no JSON.</exception>
    public static JsonDocument ReadJson(string path)
    {
        try
        {
            return JsonDocument.Parse(ReadText(path));
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path}: is no JSON: {e.Message}", e);
        }
    }
}
