using System.Globalization;
using System.Text.Json;

namespace Inference.Compare;

/// <summary>
/// Perplexity of a text for each quantised type of one model, four figures a row: ours, ours with F32 weights and activations, llama.cpp's on the same
/// file, llama.cpp's on the file expanded to F32 (F32 KV, no flash attention). llama.cpp makes the files.
/// </summary>
internal sealed class PerplexityComparison(string peer, string source, string text, int context, string folder)
{
    /// <summary>Largest relative differences from llama.cpp: its own int8 products are up to 0.04 % from exact.</summary>
    private const double AllowedSame = 1e-3, AllowedExact = 2e-4;

    private readonly record struct Ours(double Perplexity, double Memory);

    /// <returns>Whether every row is within bounds.</returns>
    public bool Run(IEnumerable<string> types)
    {
        Console.WriteLine("| type | ours | llama.cpp, same file | difference | ours, exact | llama.cpp, expanded | difference | weights in memory / in the file |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        bool passed = true;
        foreach (string type in types)
        {
            string file = Path.Combine(folder, $"{type}.gguf"), expanded = Path.Combine(folder, $"{type}-f32.gguf");
            Programs.Run(peer, "quantize", source, file, type);
            Programs.Run(peer, "quantize", file, expanded, "F32", "--requant");
            Ours ours = Measure(file), exact = Measure(file, "--exact");
            double same = Theirs(file), theirExact = Theirs(expanded, "--kv", "f32", "--fa", "0");
            double difference = ours.Perplexity / same - 1, exactDifference = exact.Perplexity / theirExact - 1;
            passed &= Math.Abs(difference) <= AllowedSame && Math.Abs(exactDifference) <= AllowedExact;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"| {type} | {ours.Perplexity:F4} | {same:F4} | {100 * difference:+0.000;-0.000} % | {exact.Perplexity:F4} | {theirExact:F4} | {100 * exactDifference:+0.000;-0.000} % | {ours.Memory:F3} |"));
            File.Delete(file);
            File.Delete(expanded);
        }
        Console.WriteLine(passed ? "\nAll rows within 0.1 % (same file) and 0.02 % (exact)." : "\nA row is out of bounds: 0.1 % (same file), 0.02 % (exact).");
        return passed;
    }

    private Ours Measure(string model, params string[] options)
    {
        string[] arguments = ["perplexity", model, "--file", text, "--context", $"{context}", "--device", "cpu", "--json", .. options];
        using JsonDocument json = JsonDocument.Parse(Programs.Run(Programs.Inference, arguments));
        double Number(string name) => json.RootElement.GetProperty(name).GetDouble();
        return new Ours(Number("perplexity"), Number("weight_bytes") / Number("file_weight_bytes"));
    }

    /// <summary>exp of the mean that llama.cpp's figure is printed from: it has six places.</summary>
    private double Theirs(string model, params string[] options)
    {
        string output = Programs.Run(peer, ["ppl", model, text, "--window", $"{context}", .. options]);
        string field = output.Split(' ', StringSplitOptions.TrimEntries).Single(f => f.StartsWith("mean_nll=", StringComparison.Ordinal));
        return Math.Exp(double.Parse(field["mean_nll=".Length..], CultureInfo.InvariantCulture));
    }
}
