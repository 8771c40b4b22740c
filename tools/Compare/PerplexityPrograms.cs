using System.Globalization;
using System.Text.Json;

namespace Inference.Compare;

/// <summary>Perplexity of one text by either engine.</summary>
internal sealed class PerplexityPrograms(string peer, string text, int context)
{
    /// <param name="Perplexity">exp of the mean negative log likelihood.</param>
    /// <param name="Memory">Bytes of weights in memory to those in the file.</param>
    /// <param name="CacheBytes">KV bytes of a token.</param>
    public readonly record struct Figures(double Perplexity, double Memory, long CacheBytes);

    public string Peer { get; } = peer;

    public Figures Ours(string model, params string[] options)
    {
        string[] arguments = ["perplexity", model, "--file", text, "--context", $"{context}", "--device", "cpu", "--json", .. options];
        using JsonDocument json = JsonDocument.Parse(Programs.Run(Programs.Inference, arguments));
        double Number(string name) => json.RootElement.GetProperty(name).GetDouble();
        return new Figures(Number("perplexity"), Number("weight_bytes") / Number("file_weight_bytes"), (long)Number("kv_bytes_per_token"));
    }

    /// <summary>From the mean that llama.cpp's figure is printed of: it has six places.</summary>
    public double Theirs(string model, params string[] options)
    {
        string output = Programs.Run(Peer, ["ppl", model, text, "--window", $"{context}", .. options]);
        string field = output.Split(' ', StringSplitOptions.TrimEntries).Single(f => f.StartsWith("mean_nll=", StringComparison.Ordinal));
        return Math.Exp(double.Parse(field["mean_nll=".Length..], CultureInfo.InvariantCulture));
    }
}
