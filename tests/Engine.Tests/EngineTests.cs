namespace Inference.Tests;

/// <summary>What callers may rely on: ends, cancellation, errors, concurrency.</summary>
public class EngineTests
{
    private const string Prompt = "And it came to pass";

    private static Task<InferenceEngine> LoadAsync(EngineOptions? options = null) => TestEngine.LoadAsync(options ?? new EngineOptions { Device = "cpu" });

    [Fact]
    public async Task Text_is_the_same_streamed_collected_and_repeated()
    {
        await using InferenceEngine engine = await LoadAsync();
        var options = new GenerationOptions { MaxTokens = 40 };
        string streamed = string.Concat((await TestEngine.CollectAsync(engine.GenerateAsync(Prompt, options))).Select(t => t.Text));
        Assert.Equal(streamed, await engine.GenerateAsync(Prompt, options).GetTextAsync());
        Assert.True(streamed.Length > 40);
    }

    [Fact]
    public async Task Length_ends_with_the_last_token()
    {
        await using InferenceEngine engine = await LoadAsync();
        List<GeneratedToken> tokens = await TestEngine.CollectAsync(engine.GenerateAsync(Prompt, new GenerationOptions { MaxTokens = 5 }));
        Assert.Equal(5, tokens.Count);
        Assert.All(tokens[..4], t => Assert.Null(t.FinishReason));
        Assert.Equal(FinishReason.Length, tokens[4].FinishReason);
        Assert.Equal([0, 1, 2, 3, 4], tokens.Select(t => t.Index));
    }

    [Fact]
    public async Task A_stop_string_ends_the_text_before_it()
    {
        await using InferenceEngine engine = await LoadAsync();
        string whole = await engine.GenerateAsync(Prompt, new GenerationOptions { MaxTokens = 30 }).GetTextAsync();
        string stop = whole.Substring(whole.Length / 2, 5);
        Generation generation = engine.GenerateAsync(Prompt, new GenerationOptions { MaxTokens = 30, Stop = [stop] });
        string text = await generation.GetTextAsync();
        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], text);
        Assert.Equal(FinishReason.Stop, generation.FinishReason);
    }

    [Fact]
    public async Task A_stop_id_ends_without_being_part_of_the_answer()
    {
        await using InferenceEngine engine = await LoadAsync();
        List<GeneratedToken> whole = await TestEngine.CollectAsync(engine.GenerateAsync(Prompt, new GenerationOptions { MaxTokens = 20 }));
        int stop = whole[6].TokenId!.Value, first = whole.FindIndex(t => t.TokenId == stop);
        List<GeneratedToken> cut = await TestEngine.CollectAsync(engine.GenerateAsync(Prompt, new GenerationOptions { MaxTokens = 20, StopTokenIds = [stop] }));
        Assert.Equal(whole.Take(first).Select(t => t.TokenId), cut.SkipLast(1).Select(t => t.TokenId));
        Assert.Null(cut[^1].TokenId);
        Assert.Equal(FinishReason.Stop, cut[^1].FinishReason);
    }

    [Fact]
    public async Task Cancellation_throws_and_frees_the_blocks()
    {
        await using InferenceEngine engine = await LoadAsync();
        using var source = new CancellationTokenSource();
        Generation generation = engine.GenerateAsync(Prompt, new GenerationOptions { MaxTokens = 400, IgnoreEos = true }, source.Token);
        int seen = 0;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (GeneratedToken _ in generation)
                if (++seen == 3) source.Cancel();
        });
        Assert.Equal(FinishReason.Cancelled, generation.FinishReason);
        await WaitUntilIdleAsync(engine);
    }

    [Fact]
    public async Task Leaving_the_enumeration_cancels_the_request()
    {
        await using InferenceEngine engine = await LoadAsync();
        await foreach (GeneratedToken _ in engine.GenerateAsync(Prompt, new GenerationOptions { MaxTokens = 400, IgnoreEos = true })) break;
        await WaitUntilIdleAsync(engine);
    }

    private static async Task WaitUntilIdleAsync(InferenceEngine engine)
    {
        for (int i = 0; i < 500 && engine.GetStatistics() is { } s && (s.KvBlocksUsed > 0 || s.Running > 0); i++) await Task.Delay(10);
        EngineStatistics end = engine.GetStatistics();
        Assert.Equal((0, 0, 0), (end.KvBlocksUsed, end.Running, end.Waiting));
    }

    [Fact]
    public async Task A_request_that_can_never_fit_is_refused_with_the_numbers()
    {
        await using InferenceEngine engine = await LoadAsync(new EngineOptions { Device = "cpu", KvBlocks = 2 });
        var error = await Assert.ThrowsAsync<InferenceException>(() => engine.GenerateAsync(Prompt, new GenerationOptions { MaxTokens = 100 }).GetTextAsync());
        Assert.Contains("32", error.Message, StringComparison.Ordinal);
        Assert.NotEmpty(await engine.GenerateAsync(Prompt, new GenerationOptions { MaxTokens = 10 }).GetTextAsync());
    }

    [Fact]
    public async Task The_context_ends_an_answer_with_length()
    {
        await using InferenceEngine engine = await LoadAsync(new EngineOptions { Device = "cpu", ContextLength = 32 });
        List<GeneratedToken> tokens = await TestEngine.CollectAsync(engine.GenerateAsync(Prompt, new GenerationOptions { MaxTokens = 1000, IgnoreEos = true }));
        Assert.Equal(FinishReason.Length, tokens[^1].FinishReason);
        Assert.InRange(tokens.Count, 20, 32);
    }

    [Fact]
    public async Task Samples_with_one_seed_repeat_and_differ_by_index()
    {
        await using InferenceEngine engine = await LoadAsync();
        Generation Sample(int index) => engine.GenerateAsync(Prompt, new GenerationOptions { MaxTokens = 20, Temperature = 1, Seed = 3, SampleIndex = index });
        string first = await Sample(0).GetTextAsync(), again = await Sample(0).GetTextAsync(), other = await Sample(1).GetTextAsync();
        Assert.Equal(first, again);
        Assert.NotEqual(first, other);
    }

    [Fact]
    public async Task Samples_of_one_prompt_are_those_of_its_sample_indices_and_compute_it_once()
    {
        await using InferenceEngine engine = await LoadAsync(new EngineOptions { Device = "cpu", PrefixCaching = false });
        var options = new GenerationOptions { MaxTokens = 20, Temperature = 1, Seed = 3, SampleIndex = 2, Samples = 5, LogitHash = true };
        IReadOnlyList<Generation> samples = engine.GenerateSamplesAsync(Prompt + " that all the people of the land heard it", options);
        List<GeneratedToken>[] answers = await Task.WhenAll(samples.Select(TestEngine.CollectAsync));
        EngineStatistics statistics = engine.GetStatistics();
        Assert.Equal(4, statistics.Forks);
        // The prompt once, and its last token again for each further sample.
        Assert.Equal(4 * (samples[0].PromptTokenIds.Count - 1), statistics.CachedTokens);
        for (int i = 0; i < 5; i++)
        {
            List<GeneratedToken> alone = await TestEngine.CollectAsync(engine.GenerateAsync(samples[0].PromptTokenIds, options with { Samples = 1, SampleIndex = 2 + i }));
            Assert.Equal(alone.Select(t => (t.TokenId, t.LogitHash)), answers[i].Select(t => (t.TokenId, t.LogitHash)));
        }
        Assert.Contains(nameof(InferenceEngine.GenerateSamplesAsync), Assert.Throws<ArgumentException>(() => engine.GenerateAsync(Prompt, options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_queue_refuses_at_once()
    {
        await using InferenceEngine engine = await LoadAsync(new EngineOptions { Device = "cpu", MaxSequences = 1, MaxQueuedRequests = 2 });
        var options = new GenerationOptions { MaxTokens = 100, IgnoreEos = true };
        List<Generation> taken = [];
        QueueFullException? refused = null;
        for (int i = 0; i < 10 && refused is null; i++)
        {
            try
            {
                taken.Add(engine.GenerateAsync(Prompt, options));
            }
            catch (QueueFullException e)
            {
                refused = e;
            }
        }
        // One may run already.
        Assert.InRange(taken.Count, 2, 5);
        Assert.Equal((2, "2 requests of the same or a higher priority wait already, and at most 2 may"), (refused!.Limit, refused.Message));
        // Those that wait are in a higher class's way neither for the device nor for a place in the queue.
        taken.Add(engine.GenerateAsync(Prompt, options with { Priority = 1 }));
        Assert.Throws<QueueFullException>(() => engine.GenerateAsync(Prompt, options with { Priority = -1 }));
        foreach (Generation generation in taken) Assert.NotEmpty(await generation.GetTextAsync());
        Assert.NotEmpty(await engine.GenerateAsync(Prompt, options).GetTextAsync());
    }

    [Fact]
    public async Task An_answer_that_takes_too_long_ends_with_what_there_is()
    {
        await using InferenceEngine engine = await LoadAsync();
        Generation generation = engine.GenerateAsync(Prompt, new GenerationOptions { MaxTokens = 480, IgnoreEos = true, Timeout = TimeSpan.Zero });
        var error = await Assert.ThrowsAsync<RequestTimeoutException>(() => generation.GetTextAsync());
        Assert.Equal((TimeSpan.Zero, FinishReason.Error), (error.Timeout, generation.FinishReason));
        await WaitUntilIdleAsync(engine);
    }

    [Fact]
    public async Task A_reader_that_lags_pauses_its_own_answer_and_no_other()
    {
        await using InferenceEngine engine = await LoadAsync(new EngineOptions { Device = "cpu", MaxUnreadTokens = 8, MaxSequences = 2 });
        var options = new GenerationOptions { MaxTokens = 60, IgnoreEos = true, LogitHash = true };
        List<GeneratedToken> expected = await TestEngine.CollectAsync(engine.GenerateAsync(Prompt, options));
        // Six answers that nobody reads, in two slots; the last is read first.
        Generation[] waiting = [.. Enumerable.Range(0, 6).Select(_ => engine.GenerateAsync(Prompt, options))];
        for (int i = 0; i < 500 && engine.GetStatistics().Paused < 6; i++) await Task.Delay(10);
        Assert.Equal((6, 0, 0), (engine.GetStatistics().Paused, engine.GetStatistics().Running, engine.GetStatistics().Waiting));
        foreach (Generation generation in waiting.Reverse())
            Assert.Equal(expected.Select(t => (t.TokenId, t.LogitHash)), (await TestEngine.CollectAsync(generation)).Select(t => (t.TokenId, t.LogitHash)));
        await WaitUntilIdleAsync(engine);
    }

    [Fact]
    public async Task Tenants_with_different_salts_share_nothing()
    {
        await using InferenceEngine engine = await LoadAsync();
        string prompt = string.Concat(Enumerable.Repeat(Prompt + " ", 10));
        async Task<int> CachedAsync(string? salt)
        {
            Generation generation = engine.GenerateAsync(prompt, new GenerationOptions { MaxTokens = 2, CacheSalt = salt });
            await generation.GetTextAsync();
            return generation.CachedTokens;
        }
        foreach (string? salt in (string?[])[null, "a", "b"]) Assert.Equal(0, await CachedAsync(salt));
        foreach (string? salt in (string?[])[null, "a"]) Assert.InRange(await CachedAsync(salt), 16, int.MaxValue);
    }

    [Fact]
    public async Task Disposing_ends_running_requests_with_an_error()
    {
        InferenceEngine engine = await LoadAsync();
        Generation generation = engine.GenerateAsync(Prompt, new GenerationOptions { MaxTokens = 480, IgnoreEos = true });
        await engine.DisposeAsync();
        Exception? error = await Record.ExceptionAsync(() => generation.GetTextAsync());
        // It may have been quick enough to finish.
        if (error is not null) Assert.IsType<InferenceException>(error);
        Assert.Throws<ObjectDisposedException>(() => engine.GenerateAsync(Prompt));
    }

    [Theory]
    [InlineData(nameof(GenerationOptions.TopP))]
    [InlineData(nameof(GenerationOptions.Temperature))]
    [InlineData(nameof(GenerationOptions.MaxTokens))]
    public async Task Options_out_of_range_name_the_option(string name)
    {
        await using InferenceEngine engine = await LoadAsync();
        GenerationOptions bad = name switch
        {
            nameof(GenerationOptions.TopP) => new() { TopP = 1.5f },
            nameof(GenerationOptions.Temperature) => new() { Temperature = -1 },
            _ => new() { MaxTokens = 0 },
        };
        Assert.Contains(name, Assert.Throws<ArgumentOutOfRangeException>(() => engine.GenerateAsync(Prompt, bad)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_file_and_a_file_of_another_kind_are_named()
    {
        await Assert.ThrowsAsync<FileNotFoundException>(() => InferenceEngine.LoadAsync(ModelSource.FromFile("/no/such.gguf")));
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, "this is not a model at all, but long enough to have a header");
            var error = await Assert.ThrowsAsync<ModelFormatException>(() => InferenceEngine.LoadAsync(ModelSource.FromFile(path), new EngineOptions { Device = "cpu" }));
            Assert.Contains(path, error.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
