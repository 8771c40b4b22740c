namespace Inference.Tests;

/// <summary>Saved prefixes: what they save, what is refused, and what a failure leaves.</summary>
public sealed class PrefixFileTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("inference-prefix").FullName;

    private static readonly string Prompt = string.Concat(Enumerable.Repeat("And it came to pass in those days, that there went out a decree. ", 6));

    private static readonly GenerationOptions Options = new() { MaxTokens = 12, LogitHash = true, IgnoreEos = true };

    private string FileName => Path.Combine(folder, "prompt.kv");

    private static Task<InferenceEngine> LoadAsync(EngineOptions? options = null) => TestEngine.LoadAsync(options ?? new EngineOptions { Device = "cpu" });

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static async Task<(ulong?[] Hashes, int Cached)> AnswerAsync(InferenceEngine engine, string? salt = null)
    {
        Generation generation = engine.GenerateAsync(Prompt, Options with { CacheSalt = salt });
        return ([.. (await TestEngine.CollectAsync(generation)).Select(t => t.LogitHash)], generation.CachedTokens);
    }

    [Theory]
    [InlineData(16, KvCacheType.F16)]
    [InlineData(48, KvCacheType.F32)]
    public async Task Another_engine_goes_on_from_it_with_the_same_logits(int blockSize, KvCacheType type)
    {
        var options = new EngineOptions { Device = "cpu", BlockSize = blockSize, KvType = type };
        SavedPrefix saved;
        ulong?[] expected;
        await using (InferenceEngine engine = await LoadAsync(options))
        {
            saved = await engine.SavePrefixAsync(FileName, Prompt);
            expected = (await AnswerAsync(engine)).Hashes;
            Assert.Equal(engine.Tokenize(Prompt)[..saved.TokenIds.Count], saved.TokenIds);
        }
        Assert.Equal(0, saved.TokenIds.Count % blockSize);
        Assert.InRange(saved.TokenIds.Count, 96, int.MaxValue);
        Assert.InRange(new FileInfo(FileName).Length, saved.Bytes, saved.Bytes + 4 * saved.TokenIds.Count + 1000);

        await using InferenceEngine other = await LoadAsync(options with { Threads = 1, MaxBatchTokens = 40 });
        SavedPrefix loaded = await other.LoadPrefixAsync(FileName);
        Assert.Equal(saved.TokenIds, loaded.TokenIds);
        Assert.Equal(0, other.GetStatistics().PrefillTokens);
        (ulong?[] hashes, int cached) = await AnswerAsync(other);
        Assert.Equal(expected, hashes);
        Assert.InRange(cached, saved.TokenIds.Count - blockSize, saved.TokenIds.Count);
        // Of another tenant it is not found, until it is loaded for that one.
        Assert.Equal(0, (await AnswerAsync(other, "tenant")).Cached);
        await using InferenceEngine third = await LoadAsync(options);
        await third.LoadPrefixAsync(FileName, "tenant");
        Assert.Equal((0, cached), ((await AnswerAsync(third)).Cached, (await AnswerAsync(third, "tenant")).Cached));
    }

    [Fact]
    public async Task What_does_not_fit_is_refused_with_the_reason()
    {
        await using (InferenceEngine engine = await LoadAsync()) await engine.SavePrefixAsync(FileName, Prompt);
        foreach ((EngineOptions options, string reason) in (IEnumerable<(EngineOptions, string)>)
            [
                (new() { Device = "cpu", BlockSize = 32 }, "block size '16', and this engine has '32'"),
                (new() { Device = "cpu", KvType = KvCacheType.F32 }, "key type 'F16', and this engine has 'F32'"),
                (new() { Device = "cpu", Simd = "portable" }, "and this engine has 'cpu Portable'"),
                (new() { Device = "ilgpu-cpu" }, "device 'cpu "),
            ])
        {
            await using InferenceEngine engine = await LoadAsync(options);
            string message = (await Assert.ThrowsAsync<PrefixFileException>(() => engine.LoadPrefixAsync(FileName))).Message;
            Assert.StartsWith(FileName + ": was saved with ", message, StringComparison.Ordinal);
            Assert.Contains(reason, message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', message);
            Assert.Equal(0, engine.GetStatistics().KvBlocksCached);
        }
    }

    [Fact]
    public async Task Damage_anywhere_is_refused_and_nothing_of_it_is_used()
    {
        await using InferenceEngine engine = await LoadAsync();
        await engine.SavePrefixAsync(FileName, Prompt);
        byte[] good = File.ReadAllBytes(FileName);
        await using InferenceEngine other = await LoadAsync();
        var random = new Random(3);
        for (int i = 0; i < 60; i++)
        {
            // The head is small and checked by itself; give it its share.
            byte[] bad = i % 6 == 0 ? good[..random.Next(good.Length)] : [.. good];
            if (i % 6 != 0) bad[i % 2 == 0 ? random.Next(500) : random.Next(good.Length)] ^= (byte)random.Next(1, 256);
            File.WriteAllBytes(FileName, bad);
            await Assert.ThrowsAsync<PrefixFileException>(() => other.LoadPrefixAsync(FileName));
        }
        Assert.Equal(0, other.GetStatistics().KvBlocksCached);
        await Assert.ThrowsAsync<FileNotFoundException>(() => other.LoadPrefixAsync(FileName + ".absent"));
        File.WriteAllBytes(FileName, good);
        await other.LoadPrefixAsync(FileName);
    }

    [Fact]
    public async Task A_full_disk_fails_the_call_alone_and_leaves_the_file_that_was_there()
    {
        await using InferenceEngine engine = await LoadAsync();
        await engine.SavePrefixAsync(FileName, Prompt);
        byte[] before = File.ReadAllBytes(FileName);
        byte[][] blocks = await engine.Prefixes!.ReadAsync(engine.Tokenize(Prompt), 0);
        int[] tokens = engine.Tokenize(Prompt)[..(blocks.Length * 16)];
        foreach (int room in (int[])[0, 10, 5000, before.Length - 1])
            Assert.Equal("No space left on device", Assert.Throws<IOException>(() => PrefixFile.Write(FileName, engine.Prefixes.Fingerprint, tokens, blocks, file => new FullDisk(file, room))).Message);
        Assert.Equal(before, File.ReadAllBytes(FileName));
        Assert.Equal([FileName], Directory.GetFiles(folder));
        await Assert.ThrowsAnyAsync<IOException>(() => engine.SavePrefixAsync(Path.Combine(folder, "absent", "x"), Prompt));
        // The same through the engine, while another request runs.
        ulong?[] expected = (await AnswerAsync(engine, "neighbour")).Hashes;
        Task<(ulong?[] Hashes, int Cached)> neighbour = AnswerAsync(engine, "other neighbour");
        engine.Prefixes.WrapFile = file => new FullDisk(file, 5000);
        Assert.Equal("No space left on device", (await Assert.ThrowsAsync<IOException>(() => engine.SavePrefixAsync(FileName, Prompt))).Message);
        Assert.Equal(expected, (await neighbour).Hashes);
        Assert.Equal(before, File.ReadAllBytes(FileName));
        Assert.Equal([FileName], Directory.GetFiles(folder));
        Assert.Equal(0, (await engine.VerifyAsync()).Used);
        engine.Prefixes.WrapFile = null;
        await engine.SavePrefixAsync(FileName, Prompt);
        Assert.Equal(before, File.ReadAllBytes(FileName));
    }

    [Fact]
    public async Task A_small_pool_takes_the_beginning_and_what_cannot_be_saved_says_why()
    {
        await using InferenceEngine engine = await LoadAsync(), small = await LoadAsync(new EngineOptions { Device = "cpu", KvBlocks = 5 }), none = await LoadAsync(new EngineOptions { Device = "cpu", PrefixCaching = false });
        SavedPrefix saved = await engine.SavePrefixAsync(FileName, Prompt), loaded = await small.LoadPrefixAsync(FileName);
        Assert.Equal(saved.TokenIds.Take(80), loaded.TokenIds);
        Assert.Equal(5, small.GetStatistics().KvBlocksCached);
        Assert.Contains("whole blocks of 16", (await Assert.ThrowsAsync<InferenceException>(() => engine.SavePrefixAsync(FileName, "And"))).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => none.SavePrefixAsync(FileName, Prompt));
        await Assert.ThrowsAsync<InferenceException>(() => small.SavePrefixAsync(FileName, Prompt));
        Assert.Equal(saved.TokenIds, (await engine.LoadPrefixAsync(FileName)).TokenIds);
    }

    private sealed class FullDisk(Stream inner, long room) : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer)
        {
            room -= buffer.Length;
            if (room < 0) throw new IOException("No space left on device");
            inner.Write(buffer);
        }
    }
}
