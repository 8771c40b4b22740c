using Inference.KvCache;
using Serilog;
using Serilog.Events;

namespace Inference.Tests.Faults;

/// <summary>Clients that throw where the engine or its channel meets them: their own request ends, and no other one notices.</summary>
public class ClientFaultTests
{
    private const string Prompt = "And it came to pass";

    private static readonly GenerationOptions Options = new() { MaxTokens = 60, IgnoreEos = true, LogitHash = true };

    private static async Task<List<ulong?>> CollectAsync(Generation generation) => [.. (await TestEngine.CollectAsync(generation)).Select(t => t.LogitHash)];

    private static async Task CheckAsync(Func<InferenceEngine, Task> misbehave)
    {
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu", KvBlocks = 16, ContextLength = 128, MaxSequences = 4, MaxUnreadTokens = 8 });
        List<ulong?> expected = await CollectAsync(engine.GenerateAsync(Prompt, Options));
        Task<List<ulong?>>[] neighbours = [.. Enumerable.Range(0, 3).Select(_ => CollectAsync(engine.GenerateAsync(Prompt, Options)))];
        await misbehave(engine);
        foreach (Task<List<ulong?>> neighbour in neighbours) Assert.Equal(expected, await neighbour);
        for (int i = 0; i < 500 && engine.GetStatistics() is { } s && s.Running + s.Waiting + s.Paused + s.KvBlocksUsed > 0; i++) await Task.Delay(10);
        KvStatistics blocks = await engine.VerifyAsync();
        Assert.Equal((16, 0), (blocks.Total, blocks.Used));
        Assert.Equal(expected, await CollectAsync(engine.GenerateAsync(Prompt, Options)));
    }

    [Fact]
    public Task An_option_that_throws_while_sampling_ends_its_request_with_the_cause() => CheckAsync(async engine =>
    {
        // The first reads are those of the call's own checks.
        Generation generation = engine.GenerateAsync(Prompt, Options with { LogitBias = new BadBias(8) });
        InferenceException error = await Assert.ThrowsAsync<InferenceException>(() => generation.GetTextAsync());
        Assert.Equal("the client's dictionary is broken", error.InnerException?.Message);
        Assert.Equal(FinishReason.Error, generation.FinishReason);
    });

    [Fact]
    public Task A_reader_that_throws_ends_its_request() => CheckAsync(async engine =>
    {
        Generation generation = engine.GenerateAsync(Prompt, Options);
        await Assert.ThrowsAsync<FormatException>(async () =>
        {
            await foreach (GeneratedToken token in generation)
                if (token.Index == 3) throw new FormatException("the reader's own");
        });
        for (int i = 0; i < 500 && generation.FinishReason is null; i++) await Task.Delay(10);
        Assert.Equal(FinishReason.Cancelled, generation.FinishReason);
    });

    [Fact]
    public Task A_reader_that_is_disposed_before_its_first_token_ends_its_request() => CheckAsync(async engine =>
    {
        Generation generation = engine.GenerateAsync(Prompt, Options);
        await using (IAsyncEnumerator<GeneratedToken> reader = generation.GetAsyncEnumerator()) Assert.True(await reader.MoveNextAsync());
        for (int i = 0; i < 500 && generation.FinishReason is null; i++) await Task.Delay(10);
        Assert.Equal(FinishReason.Cancelled, generation.FinishReason);
    });

    private sealed class BadLogger : ILogger
    {
        public int Events { get; private set; }

        public void Write(LogEvent logEvent)
        {
            Events++;
            throw new FormatException("the logger's own");
        }
    }

    [Fact]
    public async Task A_logger_that_throws_ends_no_request()
    {
        var logger = new BadLogger();
        var fault = new Fault();
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu", KvBlocks = 16, MaxQueuedRequests = 1, Logger = logger, WrapKernels = kernels => new FaultyKernels(kernels, fault.Before) });
        List<ulong?> expected = await CollectAsync(engine.GenerateAsync(Prompt, Options));
        fault.Arm("Logits", 3, () => new OutOfMemoryException());
        await Assert.ThrowsAsync<InferenceException>(() => engine.GenerateAsync(Prompt, Options).GetTextAsync());
        // It can never fit: the engine's thread warns.
        await Assert.ThrowsAsync<InferenceException>(() => engine.GenerateAsync(Prompt, Options with { MaxTokens = 1000 }).GetTextAsync());
        Assert.Equal(expected, await CollectAsync(engine.GenerateAsync(Prompt, Options)));
        Assert.InRange(logger.Events, 4, int.MaxValue);
    }

    [Fact]
    public async Task Progress_that_throws_ends_the_loading() =>
        await Assert.ThrowsAsync<FormatException>(() => InferenceEngine.LoadAsync(ModelSource.Sample, new EngineOptions { Device = "cpu" }, new BadProgress()));

    private sealed class BadProgress : IProgress<LoadProgress>
    {
        public void Report(LoadProgress value) => throw new FormatException("the client's own");
    }
}
