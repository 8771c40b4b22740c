using System.Globalization;

namespace Inference.Compare;

/// <summary>The results as a Markdown table; the last column names the bounds that a row misses.</summary>
internal sealed class MatrixTable(IReadOnlyList<MatrixRow> rows)
{
    /// <summary>Of the processors' time taken by others: llama.cpp's threads wait for each other by spinning, and then run many times slower.</summary>
    private const double Disturbed = 0.05;

    /// <summary>Types whose batched decode issue 6 bounds.</summary>
    private static readonly string[] ServedTypes = ["Q4_0", "Q8_0"];

    /// <returns>Whether every row is within its bounds.</returns>
    public bool Write(TextWriter output)
    {
        output.WriteLine("| model | type | types by bytes | threads | test | unit | ours | llama.cpp | build | ratio | read GB/s | ours, % of read | misses |");
        output.WriteLine("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        int missed = 0, spoilt = 0;
        foreach (MatrixRow row in rows.OrderBy(r => r.Model, StringComparer.Ordinal).ThenBy(r => r.Type, StringComparer.Ordinal).ThenByDescending(r => r.Threads).ThenBy(r => r.Kind).ThenBy(r => r.Size))
        {
            bool disturbed = row.Stolen is not null && Statistics.Median(row.Stolen) > Disturbed;
            string[] misses = [.. Misses(row)];
            if (disturbed) spoilt++;
            if (misses.Length > 0) missed++;
            string read = row.ReadGbs is null ? "" : $"{Statistics.Median(row.ReadGbs):F1}", share = row.ReadShare is { } part ? $"{100 * part:F0}" : "";
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {row.Model} | {row.Type} | {ModelFacts.Describe(row.Types)} | {row.Threads} | {row.Test} | {row.Unit} | {row.OursMedian:F1} | {row.TheirsMedian:F1} | {row.Lib} | {row.Ratio:F2} | {read} | {share} | {string.Join(", ", disturbed ? misses.Append("disturbed: measure again") : misses)} |"));
        }
        output.WriteLine();
        output.WriteLine($"{missed} of {rows.Count} rows miss a bound, {spoilt} were disturbed by other processes. Medians of the rounds; the ratio is the median of the rounds' ratios.");
        return missed == 0;
    }

    /// <summary>Bounds of issue 7 (1 to 5) and of issue 6 (3), by their numbers there.</summary>
    private IEnumerable<string> Misses(MatrixRow row)
    {
        switch (row.Kind)
        {
            case TestKind.Decode:
                if (row.Ratio < 1.1 && row.ReadShare < 0.85) yield return "7.1: 1.1 times or 85 % of read";
                break;
            case TestKind.Prefill:
                double least = row.Type is "F16" or "BF16" or "F32" ? 1.2 : 1.5;
                if (row.Ratio < least) yield return string.Create(CultureInfo.InvariantCulture, $"7.2: {least} times");
                break;
            case TestKind.Depth:
                if (row.Ratio < 1) yield return "7.4: 1 times";
                break;
            case TestKind.Startup:
                if (row.Test == "first-token" && row.Model.StartsWith("kjv-5m", StringComparison.Ordinal) && row.Ratio > 0.5) yield return "7.5: half";
                if (row.OursMedian > row.Limit) yield return string.Create(CultureInfo.InvariantCulture, $"7.5: at most {row.Limit:F0} {row.Unit}");
                break;
            default:
                if (row.Size is 8 or 16 && row.Ratio < 1.5) yield return "7.3: 1.5 times";
                if (!ServedTypes.Contains(row.Type)) break;
                if (row.Ratio < 1) yield return "6.3: llama.cpp's";
                if (row.Size == 8 && row.OursMedian < 3 * Batch(row, 1)) yield return "6.3: 3 times batch 1";
                if (row.OursMedian < 0.97 * Batch(row, row.Size / 2)) yield return $"6.3: batch {row.Size / 2} less 3 %";
                break;
        }
    }

    /// <summary>Our rate at another batch size; NaN, which misses nothing, where it was not measured.</summary>
    private double Batch(MatrixRow row, int size) =>
        rows.LastOrDefault(r => r.Kind == TestKind.Batch && r.Size == size && r.IsOf(row.File, row.Threads, row.Kv))?.OursMedian ?? double.NaN;
}
