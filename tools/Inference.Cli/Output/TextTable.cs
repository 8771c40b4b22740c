namespace Inference.Cli;

/// <summary>A table of plain text: aligned columns for people and pipes, or Markdown. A heading that ends in <c>&gt;</c> is right-aligned.</summary>
internal sealed class TextTable(params string[] headings)
{
    private readonly string[] headings = [.. headings.Select(h => h.TrimEnd('>'))];
    private readonly bool[] right = [.. headings.Select(h => h.EndsWith('>'))];
    private readonly List<string[]> rows = [];

    public void Add(params string[] cells)
    {
        if (cells.Length != headings.Length) throw new ArgumentException($"{headings.Length} cells make a row, not {cells.Length}", nameof(cells));
        rows.Add(cells);
    }

    public void Write(TextWriter output, bool markdown = false)
    {
        int[] widths = [.. headings.Select((h, c) => Math.Max(markdown ? 4 : 0, rows.Select(r => r[c].Length).Append(h.Length).Max()))];
        WriteRow(headings);
        if (markdown) output.WriteLine("|" + string.Join('|', widths.Select((w, c) => right[c] ? new string('-', w + 1) + ":" : new string('-', w + 2))) + "|");
        foreach (string[] row in rows) WriteRow(row);

        void WriteRow(string[] cells)
        {
            IEnumerable<string> padded = cells.Select((cell, c) => right[c] ? cell.PadLeft(widths[c]) : cell.PadRight(widths[c]));
            output.WriteLine(markdown ? "| " + string.Join(" | ", padded) + " |" : string.Join("  ", padded).TrimEnd());
        }
    }
}
