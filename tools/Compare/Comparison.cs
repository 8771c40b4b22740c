using System.Globalization;
using System.Text.Json;

namespace Inference.Compare;

/// <summary>Rounds of: read bandwidth, our engine, each build of llama.cpp. Tokens per second, medians over the rounds.</summary>
internal sealed class Comparison(string peer, string[] libraries, int prompt, int tokens, int threads, int rounds)
{
    public string Peer { get; } = peer;

    public void PrintHeader()
    {
        Console.WriteLine($"| file | types by bytes | best read GB/s | pp{prompt} ours | llama.cpp | ratio | tg{tokens} ours | llama.cpp | ratio | ours, % of read |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
    }

    public void Run(string model)
    {
        List<double> bandwidth = [], ourPrompt = [], ourTokens = [], promptRatio = [], tokenRatio = [], peerPrompt = [], peerTokens = [];
        for (int round = 0; round < rounds; round++)
        {
            bandwidth.Add(ReadBandwidth.Measure(threads));
            (double pp, double tg) = Ours(model);
            (double pp, double tg)[] theirs = [.. libraries.Select(library => Theirs(model, library))];
            bandwidth.Add(ReadBandwidth.Measure(threads));
            ourPrompt.Add(pp);
            ourTokens.Add(tg);
            peerPrompt.Add(theirs.Max(t => t.pp));
            peerTokens.Add(theirs.Max(t => t.tg));
            promptRatio.Add(pp / peerPrompt[^1]);
            tokenRatio.Add(tg / peerTokens[^1]);
            Console.Error.WriteLine($"{Path.GetFileName(model)} round {round}: read {bandwidth[^2]:F1}, {bandwidth[^1]:F1} GB/s; ours pp {pp:F1} tg {tg:F1}; llama.cpp {string.Join(", ", theirs.Select((t, i) => $"{libraries[i]} pp {t.pp:F1} tg {t.tg:F1}"))}");
        }
        var facts = ModelFacts.Of(model);
        double read = bandwidth.Max(), share = Statistics.Median(ourTokens) * facts.ReadBytes / 1e9 / read;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {Path.GetFileNameWithoutExtension(model)} | {ModelFacts.Describe(facts.Types)} | {read:F1} | {Statistics.Median(ourPrompt):F0} | {Statistics.Median(peerPrompt):F0} | {Statistics.Median(promptRatio):F2} | {Statistics.Median(ourTokens):F1} | {Statistics.Median(peerTokens):F1} | {Statistics.Median(tokenRatio):F2} | {share:P0} |"));
    }

    private (double Prompt, double Tokens) Ours(string model)
    {
        string json = Programs.Run(Programs.Inference, "bench", "run", model, "--device", "cpu", "--pp", $"{prompt}", "--tg", $"{tokens}", "--batch", "1", "--threads", $"{threads}", "--repetitions", "1", "--format", "json");
        using JsonDocument document = JsonDocument.Parse(json);
        double Rate(string test) => document.RootElement.GetProperty("results").EnumerateArray().Single(r => r.GetProperty("test").GetString() == test).GetProperty("tokens_per_second").GetDouble();
        return (Rate($"pp{prompt}"), Rate($"tg{tokens}"));
    }

    private (double Prompt, double Tokens) Theirs(string model, string library)
    {
        string path = Path.GetTempFileName();
        try
        {
            Programs.Run(Peer, "bench", model, "--lib", library, "--pp", $"{prompt}", "--tg", $"{tokens}", "--threads", $"{threads}", "--reps", "1", "--json", path);
            using JsonDocument document = JsonDocument.Parse(File.ReadAllText(path));
            return (document.RootElement.GetProperty("pp_tps")[0].GetDouble(), document.RootElement.GetProperty("tg_tps")[0].GetDouble());
        }
        finally
        {
            File.Delete(path);
        }
    }
}
