namespace Inference.Tests;

public class KvSizingTests
{
    [Fact]
    public void The_swap_space_is_as_large_as_the_pool_within_an_eighth_of_the_memory()
    {
        long eighth = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8;
        Assert.Equal(100, KvSizing.SwapBlocks(new EngineOptions(), 4096, 100));
        Assert.InRange(KvSizing.SwapBlocks(new EngineOptions(), 1 << 20, 1 << 20) * (1L << 20), 0, eighth);
        Assert.Equal(3, KvSizing.SwapBlocks(new EngineOptions { SwapMemoryBytes = 4095 * 4 }, 4096, 100));
        Assert.Equal(0, KvSizing.SwapBlocks(new EngineOptions { SwapMemoryBytes = 0 }, 4096, 100));
    }

    [Fact]
    public async Task On_the_processor_preempted_requests_are_swapped_unless_told_otherwise()
    {
        async Task<EngineStatistics> Run(EngineOptions options)
        {
            await using InferenceEngine engine = await TestEngine.LoadAsync(options);
            // Three of five blocks each, in a pool of eight.
            Generation[] running = [.. Enumerable.Range(0, 3).Select(i => engine.GenerateAsync([1, 2, 3 + i], new GenerationOptions { MaxTokens = 70, IgnoreEos = true }))];
            foreach (Generation generation in running) await generation.GetTextAsync();
            return engine.GetStatistics();
        }
        var eager = new EngineOptions { Device = "cpu", KvBlocks = 8, ContextLength = 96, Admission = AdmissionMode.Eager };
        EngineStatistics swapped = await Run(eager), recomputed = await Run(eager with { SwapMemoryBytes = 0 }), foreseen = await Run(eager with { Admission = AdmissionMode.Forecast });
        Assert.True(swapped.Preemptions > 0 && swapped.SwapPreemptions == swapped.Preemptions, $"{swapped}");
        Assert.Equal((true, 0L), (recomputed.Preemptions > 0, recomputed.SwapPreemptions));
        Assert.Equal(0, foreseen.Preemptions);
    }
}
