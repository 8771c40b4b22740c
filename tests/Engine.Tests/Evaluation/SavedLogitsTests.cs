using Inference.Evaluation;

namespace Inference.Tests.Evaluation;

/// <summary>Files of saved logits: what a run writes, another one can be compared with; whatever is wrong with one is told.</summary>
public sealed class SavedLogitsTests : IDisposable
{
    private const string Text = "In the beginning God created the heaven and the earth. And the earth was without form, and void; and darkness was upon the face of the deep.";

    private readonly string folder = Directory.CreateTempSubdirectory("saved-logits-").FullName;

    private string PathOf(string name) => Path.Combine(folder, name);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static async Task<(PerplexityResult Result, SavedLogits Head)> RunAsync(EngineOptions options, string? basePath, string? savePath, string text = Text, int context = 12)
    {
        options = options with { Device = "cpu" };
        await using InferenceEngine engine = await TestEngine.LoadAsync(options);
        var windows = new TextWindows(engine.Tokenizer.Encode(text, false, false), engine.Tokenizer.BosId, context);
        using var run = new PerplexityRun(engine, options, windows, divergence: true);
        using SavedLogitsReader? baseline = basePath is null ? null : new SavedLogitsReader(basePath);
        baseline?.Head.Require(run.Head, basePath!);
        using SavedLogitsWriter? save = savePath is null ? null : new SavedLogitsWriter(savePath, run.Head);
        PerplexityResult result = run.Run(baseline, save, _ => { }, TestContext.Current.CancellationToken);
        save?.Complete();
        return (result, run.Head);
    }

    [Fact]
    public async Task A_run_agrees_with_itself_and_less_with_another()
    {
        string path = PathOf("base");
        await RunAsync(new EngineOptions { Exact = true }, null, path);
        PerplexityResult same = (await RunAsync(new EngineOptions { Exact = true, MaxBatchTokens = 5, Threads = 1 }, path, null)).Result;
        Assert.Equal((0.0, 0.0, 0.0, 1.0), (same.Divergence.Mean, same.Divergence.Max, same.Divergence.StandardError, same.TopAgreement));
        PerplexityResult other = (await RunAsync(new EngineOptions(), path, PathOf("other"))).Result;
        Assert.InRange(other.Divergence.Mean, 1e-12, 1e-5);
        Assert.Equal(same.Nll.Count, other.Divergence.Count);
        Assert.Equal([PathOf("base"), PathOf("other")], Directory.GetFiles(folder).Order());
    }

    [Fact]
    public async Task Every_byte_is_checked()
    {
        string path = PathOf("base"), damaged = PathOf("damaged");
        (_, SavedLogits head) = await RunAsync(new EngineOptions(), null, path);
        byte[] bytes = File.ReadAllBytes(path);
        int headBytes = head.ToBytes().Length;
        for (int at = 0; at < headBytes; at++)
        {
            byte[] changed = [.. bytes[..headBytes], .. bytes[headBytes..]];
            changed[at] ^= 0x04;
            File.WriteAllBytes(damaged, changed);
            Assert.StartsWith(damaged + ": ", Assert.Throws<InvalidDataException>(() => new SavedLogitsReader(damaged)).Message);
        }
        foreach (int length in (int[])[0, 7, 30, headBytes - 1, headBytes, bytes.Length - 1])
        {
            File.WriteAllBytes(damaged, bytes[..length]);
            Assert.Throws<InvalidDataException>(() => new SavedLogitsReader(damaged));
        }
        var random = new Random(3);
        int rowBytes = SavedRow.Bytes(head.Vocabulary);
        for (int n = 0; n < 20; n++)
        {
            byte[] changed = [.. bytes];
            int row = random.Next(head.Rows);
            changed[headBytes + row * rowBytes + random.Next(rowBytes)] ^= 0x40;
            File.WriteAllBytes(damaged, changed);
            using var reader = new SavedLogitsReader(damaged);
            Assert.Contains($"row {row} ", Assert.Throws<InvalidDataException>(() => reader.Read(new byte[head.Rows * rowBytes])).Message);
        }
    }

    [Fact]
    public async Task Logits_of_another_text_window_or_tokenizer_are_refused()
    {
        string path = PathOf("base");
        (_, SavedLogits head) = await RunAsync(new EngineOptions(), null, path);
        Assert.Contains("another text", (await Assert.ThrowsAsync<InvalidDataException>(() => RunAsync(new EngineOptions(), path, null, Text + " And"))).Message);
        Assert.Contains("--context 12", (await Assert.ThrowsAsync<InvalidDataException>(() => RunAsync(new EngineOptions(), path, null, context: 13))).Message);
        Assert.Contains("tokenizer", Assert.Throws<InvalidDataException>(() => head.Require(head with { TokenizerFingerprint = 1 }, path)).Message);
        Assert.Contains("tokenizer", Assert.Throws<InvalidDataException>(() => head.Require(head with { Vocabulary = 5 }, path)).Message);
        head.Require(head with { Model = "another model of the same tokenizer" }, path);
    }

    [Fact]
    public void A_file_that_is_not_completed_leaves_nothing()
    {
        string path = PathOf("kept");
        File.WriteAllText(path, "before");
        var head = new SavedLogits("a model", 10, 4, 3, 1, 2);
        using (var writer = new SavedLogitsWriter(path, head)) writer.Write(new byte[SavedRow.Bytes(10)]);
        Assert.Equal("before", File.ReadAllText(path));
        Assert.Single(Directory.GetFiles(folder));
    }
}
