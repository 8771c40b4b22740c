using System.Text.Json;

namespace Inference.Compare;

/// <summary>What is measured, in tokens a second.</summary>
internal enum TestKind
{
    /// <summary>Decode of one sequence from an empty context.</summary>
    Decode,

    /// <summary>One prompt; the size is its length.</summary>
    Prefill,

    /// <summary>Decode of several sequences together; the size is their number.</summary>
    Batch,

    /// <summary>Decode of one sequence; the size is the context before it.</summary>
    Depth,

    /// <summary>A process from its start to the first token: time, loading, memory.</summary>
    Startup,
}

/// <summary>Tests of one kind that one process of each engine measures.</summary>
/// <param name="Kind">What is measured.</param>
/// <param name="Sizes">One test for each.</param>
/// <param name="Tokens">Tokens that each sequence generates; unused by prefill.</param>
internal sealed record TestGroup(TestKind Kind, int[] Sizes, int Tokens)
{
    /// <summary>A test as <c>--tests</c> spells it: tg, pp512, batch, depth4096, startup; null where it is none.</summary>
    public static TestGroup? Parse(string text, int tokens, int[] batches, int batchTokens)
    {
        if (text == "tg") return new TestGroup(TestKind.Decode, [tokens], tokens);
        if (text == "batch") return new TestGroup(TestKind.Batch, batches, batchTokens);
        if (text == "startup") return new TestGroup(TestKind.Startup, [], 1);
        if (text.StartsWith("pp", StringComparison.Ordinal) && int.TryParse(text.AsSpan(2), out int prompt) && prompt > 0) return new TestGroup(TestKind.Prefill, [prompt], 0);
        if (text.StartsWith("depth", StringComparison.Ordinal) && int.TryParse(text.AsSpan(5), out int depth) && depth > 0) return new TestGroup(TestKind.Depth, [depth], batchTokens);
        return null;
    }

    /// <summary>Alternations by default: prefill varies less and takes longer.</summary>
    public int DefaultRounds => Kind == TestKind.Prefill ? 3 : 5;

    public string Name(int size) => Kind switch
    {
        TestKind.Decode => $"tg{size}",
        TestKind.Prefill => $"pp{size}",
        TestKind.Batch => $"batch{size}",
        _ => $"depth{size}",
    };

    /// <summary>A short run of the same kind, to see which build of llama.cpp is faster.</summary>
    public TestGroup Probe() => Kind switch
    {
        TestKind.Decode => this with { Sizes = [24], Tokens = 24 },
        TestKind.Prefill => this with { Sizes = [256] },
        TestKind.Batch => this with { Sizes = [8], Tokens = 12 },
        _ => this with { Sizes = [512], Tokens = 16 },
    };

    /// <summary>Options of <c>inference bench run</c>.</summary>
    public string[] OurOptions() => Kind switch
    {
        TestKind.Prefill => ["--pp", $"{Sizes[0]}", "--tg", "0"],
        TestKind.Batch => ["--pp", "0", "--tg", $"{Tokens}", "--batch", string.Join(',', Sizes)],
        TestKind.Depth => ["--pp", "0", "--tg", $"{Tokens}", "--depth", $"{Sizes[0]}"],
        _ => ["--pp", "0", "--tg", $"{Tokens}"],
    };

    /// <summary>Options of <c>peer.sh bench</c>. Its sequences begin with one token, as ours do.</summary>
    public string[] PeerOptions() => Kind switch
    {
        TestKind.Prefill => ["--pp", $"{Sizes[0]}", "--tg", "0"],
        TestKind.Batch => ["--pp", "0", "--tg", "0", "--batch-seqs", string.Join(',', Sizes), "--batch-tg", $"{Tokens}", "--batch-pp", "1"],
        TestKind.Depth => ["--pp", "0", "--tg", $"{Tokens}", "--depth", $"{Sizes[0]}"],
        _ => ["--pp", "0", "--tg", $"{Tokens}"],
    };

    /// <summary>Tokens a second of each size, from what <c>inference bench run --format json</c> prints.</summary>
    public double[] OurRates(JsonElement output) => [.. output.GetProperty("results").EnumerateArray().Select(r => r.GetProperty("tokens_per_second").GetDouble())];

    /// <summary>Tokens a second of each size, from the object that <c>peer.sh bench --json</c> writes.</summary>
    public double[] PeerRates(JsonElement output) => PeerFigures(output, "tps");

    /// <summary>From the same object, the part of the time that its threads wanted to run and other processes ran.</summary>
    public double[] PeerStolen(JsonElement output) => PeerFigures(output, "stolen");

    private double[] PeerFigures(JsonElement output, string figure) => Kind switch
    {
        TestKind.Prefill => [output.GetProperty("pp_" + figure)[0].GetDouble()],
        TestKind.Batch => [.. Sizes.Select(size => output.GetProperty("batch_" + figure).GetProperty($"{size}")[0].GetDouble())],
        _ => [output.GetProperty("tg_" + figure)[0].GetDouble()],
    };

    /// <summary>Times that all weights are read in a second at this rate; null where a step reads them for too many rows for that to matter.</summary>
    public double? StepsPerSecond(int size, double rate) => Kind switch
    {
        TestKind.Prefill or TestKind.Startup => null,
        TestKind.Batch => rate / size,
        _ => rate,
    };
}
