using System.Globalization;

namespace Inference.Compare;

/// <summary>
/// Perplexity of a text for each quantised type of one model, four figures a row: ours, ours with F32 weights and activations, llama.cpp's on the same
/// file, llama.cpp's on the file expanded to F32 (F32 KV, no flash attention). llama.cpp makes the files.
/// </summary>
internal sealed class PerplexityComparison(PerplexityPrograms programs, string source, string folder)
{
    /// <summary>Largest relative differences from llama.cpp: its own int8 products are up to 0.04 % from exact.</summary>
    private const double AllowedSame = 1e-3, AllowedExact = 2e-4;

    /// <returns>Whether every row is within bounds.</returns>
    public bool Run(IEnumerable<string> types)
    {
        Console.WriteLine("| type | ours | llama.cpp, same file | difference | ours, exact | llama.cpp, expanded | difference | weights in memory / in the file |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        bool passed = true;
        foreach (string type in types)
        {
            string file = Path.Combine(folder, $"{type}.gguf"), expanded = Path.Combine(folder, $"{type}-f32.gguf");
            Programs.Run(programs.Peer, "quantize", source, file, type);
            Programs.Run(programs.Peer, "quantize", file, expanded, "F32", "--requant");
            PerplexityPrograms.Figures ours = programs.Ours(file), exact = programs.Ours(file, "--exact");
            double same = programs.Theirs(file), theirExact = programs.Theirs(expanded, "--kv", "f32", "--fa", "0");
            double difference = ours.Perplexity / same - 1, exactDifference = exact.Perplexity / theirExact - 1;
            passed &= Math.Abs(difference) <= AllowedSame && Math.Abs(exactDifference) <= AllowedExact;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {type} | {ours.Perplexity:F4} | {same:F4} | {100 * difference:F3} % | {exact.Perplexity:F4} | {theirExact:F4} | {100 * exactDifference:F4} % | {ours.Memory:F3} |"));
            File.Delete(file);
            File.Delete(expanded);
        }
        Console.WriteLine(passed ? "\nAll rows within 0.1 % (same file) and 0.02 % (exact)." : "\nA row is out of bounds: 0.1 % (same file), 0.02 % (exact).");
        return passed;
    }
}
