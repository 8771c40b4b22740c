using System.Text.Json;

namespace Inference.Models;

/// <summary>Reads JSON files, with one kind of error for all that can be wrong with them.</summary>
internal static class JsonFile
{
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    /// <summary>The file's bytes, without a byte order mark.</summary>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ReadOnlyMemory<byte> ReadBytes(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        return bytes.AsSpan().StartsWith(ByteOrderMark) ? bytes.AsMemory(ByteOrderMark.Length) : bytes;
    }

    /// <summary>A small file as a whole.</summary>
    /// <exception cref="ModelFormatException">It is no JSON object.</exception>
    public static JsonPart Read(string path) => Guard(path, () =>
    {
        using JsonDocument document = JsonDocument.Parse(ReadBytes(path));
        var root = new JsonPart(path, "", document.RootElement.Clone());
        return root.Value.ValueKind == JsonValueKind.Object ? root : throw root.Error("an object");
    });

    /// <summary>Runs what reads, and words its errors.</summary>
    /// <param name="path">The file.</param>
    /// <param name="read">Reads it.</param>
    /// <param name="place">What to call the part that is read; null: the line.</param>
    public static T Guard<T>(string path, Func<T> read, string? place = null)
    {
        try
        {
            return read();
        }
        catch (JsonException exception)
        {
            throw new ModelFormatException(path, place ?? $"line {exception.LineNumber + 1}", "JSON", exception.Message.Split(". LineNumber")[0]);
        }
        catch (InvalidOperationException exception)
        {
            throw new ModelFormatException(path, place ?? "file", "JSON with strings of well-formed Unicode", exception.Message);
        }
    }
}
