using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Inference.Compare;

/// <summary>The results so far, one JSON object a line. A line is written at once, so that the file is whole whenever the run ends.</summary>
internal sealed class MatrixFile
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    private readonly string path;
    private readonly List<MatrixRow> rows = [];

    /// <exception cref="InvalidDataException">A line is no result.</exception>
    public MatrixFile(string path)
    {
        this.path = path;
        if (!File.Exists(path)) return;
        foreach ((int index, string line) in File.ReadLines(path).Index())
        {
            try
            {
                if (line.Length > 0) rows.Add(JsonSerializer.Deserialize<MatrixRow>(line, Options)!);
            }
            catch (JsonException e)
            {
                throw new InvalidDataException($"{path} line {index + 1} is no result: {e.Message}", e);
            }
        }
    }

    public IReadOnlyList<MatrixRow> Rows => rows;

    public void Append(MatrixRow row)
    {
        rows.Add(row);
        using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
        file.Write(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(row, Options) + "\n"));
    }
}
