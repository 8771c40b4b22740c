using System.Globalization;

namespace Inference.Compare;

/// <summary>Perplexity of a text for each KV type: what each engine loses against its own F16 cache.</summary>
internal sealed class KvComparison(PerplexityPrograms programs, string model)
{
    /// <summary>Types that llama.cpp runs through the peer script too.</summary>
    private static readonly string[] Shared = ["f32", "f16", "q8_0", "q4_0"];

    /// <returns>Whether q8_0 is within 0.1 % of f16, and q4_0 loses at most 1.5 times what llama.cpp loses.</returns>
    public bool Run(IEnumerable<string> types)
    {
        double ourBase = programs.Ours(model, "--kv-type", "f16").Perplexity, theirBase = programs.Theirs(model, "--kv", "f16");
        Console.WriteLine("| KV type | bytes a token | ours | from f16 | llama.cpp | from f16 | ratio of losses |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        bool passed = true;
        foreach (string type in types)
        {
            PerplexityPrograms.Figures ours = programs.Ours(model, "--kv-type", type);
            double loss = ours.Perplexity - ourBase, theirs = Shared.Contains(type) ? programs.Theirs(model, "--kv", type) : double.NaN, theirLoss = theirs - theirBase;
            if (type == "q8_0") passed &= Math.Abs(loss) <= 1e-3 * ourBase;
            if (type == "q4_0") passed &= loss <= 1.5 * theirLoss;
            string other = double.IsNaN(theirs) ? "- | - | -" : string.Create(CultureInfo.InvariantCulture, $"{theirs:F4} | {100 * theirLoss / theirBase:F3} % | {(type == "q4_0" ? $"{loss / theirLoss:F2}" : "-")}");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {type} | {ours.CacheBytes} | {ours.Perplexity:F4} | {100 * loss / ourBase:F3} % | {other} |"));
        }
        Console.WriteLine(passed ? "\nq8_0 is within 0.1 % of f16, q4_0 within 1.5 times llama.cpp's loss." : "\nA row is out of bounds.");
        return passed;
    }
}
