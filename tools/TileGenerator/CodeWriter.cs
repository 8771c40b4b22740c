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

    /// <summary>
    /// The body for every i in 0 .. count - 1: written out once each, or as a loop at run time. The body gets the C# expression of i
    /// (a number or the loop variable).
    /// </summary>
    public void Repeat(int count, bool unroll, string variable, Action<string> body)
    {
        if (!unroll) Block($"for (int {variable} = 0; {variable} < {count}; {variable}++)", () => body(variable));
        else for (int i = 0; i < count; i++) body(i.ToString());
    }

    public override string ToString() => text.ToString();
}
