using System.Text;

namespace TileGenerator;

/// <summary>Indented lines of C#.</summary>
internal sealed class CodeWriter
{
    private readonly StringBuilder text = new();
    private int depth;

    public void Line(string line = "")
    {
        if (line.Length > 0) text.Append(' ', depth * 4).Append(line);
        text.Append('\n');
    }

    /// <summary>Writes a header line (none when empty), then <paramref name="body"/> between braces.</summary>
    public void Block(string header, Action body)
    {
        if (header.Length > 0) Line(header);
        Line("{");
        depth++;
        body();
        depth--;
        Line("}");
    }

    public override string ToString() => text.ToString();
}
