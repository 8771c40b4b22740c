using System.Diagnostics;
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
            bandwidth.Add(ReadBandwidth());
            (double pp, double tg) = Ours(model);
            (double pp, double tg)[] theirs = [.. libraries.Select(library => Theirs(model, library))];
            bandwidth.Add(ReadBandwidth());
            ourPrompt.Add(pp);
            ourTokens.Add(tg);
            peerPrompt.Add(theirs.Max(t => t.pp));
            peerTokens.Add(theirs.Max(t => t.tg));
            promptRatio.Add(pp / peerPrompt[^1]);
            tokenRatio.Add(tg / peerTokens[^1]);
            Console.Error.WriteLine($"{Path.GetFileName(model)} round {round}: read {bandwidth[^2]:F1}, {bandwidth[^1]:F1} GB/s; ours pp {pp:F1} tg {tg:F1}; llama.cpp {string.Join(", ", theirs.Select((t, i) => $"{libraries[i]} pp {t.pp:F1} tg {t.tg:F1}"))}");
        }
        (string types, long bytes) = Types(model);
        double read = bandwidth.Max(), share = Median(ourTokens) * bytes / 1e9 / read;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {Path.GetFileNameWithoutExtension(model)} | {types} | {read:F1} | {Median(ourPrompt):F0} | {Median(peerPrompt):F0} | {Median(promptRatio):F2} | {Median(ourTokens):F1} | {Median(peerTokens):F1} | {Median(tokenRatio):F2} | {share:P0} |"));
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

    private (string Types, long ReadBytes) Types(string model)
    {
        using JsonDocument document = JsonDocument.Parse(Programs.Run(Programs.Inference, "inspect", model, "--json", "--tensors"));
        var types = document.RootElement.GetProperty("tensor_types").EnumerateArray().Select(t => (Name: t.GetProperty("type").GetString()!, Bytes: t.GetProperty("bytes").GetInt64())).ToArray();
        long total = types.Sum(t => t.Bytes);
        // A token reads one row of an embedding that is not the head too.
        Dictionary<string, long> tensors = document.RootElement.GetProperty("tensors").EnumerateArray().ToDictionary(t => t.GetProperty("name").GetString()!, t => t.GetProperty("bytes").GetInt64());
        long read = tensors.ContainsKey("output.weight") ? total - tensors["token_embd.weight"] : total;
        return (string.Join(", ", types.Where(t => t.Bytes * 200 > total).Select(t => $"{t.Name} {100.0 * t.Bytes / total:F0} %")), read);
    }

    /// <summary>GB/s of summing 512 MiB with every thread, best of three passes: what a step that reads all weights could reach.</summary>
    private double ReadBandwidth()
    {
        const int count = 64 << 20;
        buffer ??= CreateBuffer(count);
        double best = 0;
        for (int pass = 0; pass < 3; pass++)
        {
            long start = Stopwatch.GetTimestamp();
            Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads }, t => Sum(buffer.AsSpan(t * (count / threads), count / threads)));
            best = Math.Max(best, count * 8.0 / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9);
        }
        return best;
    }

    private long[]? buffer;

    private static long[] CreateBuffer(int count)
    {
        var values = new long[count];
        Array.Fill(values, 1);
        return values;
    }

    private static long Sum(ReadOnlySpan<long> values)
    {
        System.Numerics.Vector<long> a = default, b = default, c = default, d = default;
        ReadOnlySpan<System.Numerics.Vector<long>> vectors = System.Runtime.InteropServices.MemoryMarshal.Cast<long, System.Numerics.Vector<long>>(values);
        for (int i = 0; i + 3 < vectors.Length; i += 4)
        {
            a += vectors[i];
            b += vectors[i + 1];
            c += vectors[i + 2];
            d += vectors[i + 3];
        }
        return System.Numerics.Vector.Sum(a + b + c + d);
    }

    private static double Median(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
