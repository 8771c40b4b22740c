using Inference.Kernels;
using Inference.Tests.Shared;

namespace Inference.Tests;

/// <summary>The sample model on every device against PyTorch.</summary>
public class GoldenTests
{
    [Theory]
    [InlineData("cpu", 48, KvCacheType.F16)]
    [InlineData("cpu", 48, KvCacheType.F32)]
    [InlineData("ilgpu-cpu", 24, KvCacheType.F16)]
    [InlineData("opencl", 24, KvCacheType.F16)]
    [InlineData("opencl", 24, KvCacheType.F32)]
    [InlineData("cuda", 48, KvCacheType.F16)]
    public async Task All_prompts_give_the_golden_tokens_and_logprobs(string device, int tokens, KvCacheType kvType)
    {
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions { Device = device, KvType = kvType });
        double tolerance = kvType == KvCacheType.F32 ? 2e-3 : 1e-2, worst = 0;
        int compared = 0;
        Golden[] goldens = Golden.Load();
        Assert.Equal(10, goldens.Length);
        Generation[] running = [.. goldens.Select(g => engine.GenerateAsync(g.Prompt, new GenerationOptions { MaxTokens = tokens, PromptLogprobs = 0 }))];
        foreach ((Golden golden, Generation generation) in goldens.Zip(running))
        {
            int[] ids = [.. (await TestEngine.CollectAsync(generation)).Where(t => t.TokenId is not null).Select(t => t.TokenId!.Value)];
            Assert.Equal(golden.TokenIds, generation.PromptTokenIds);
            int certain = golden.Certain(tokens);
            Assert.Equal(golden.Greedy[..certain], ids[..Math.Min(certain, ids.Length)]);
            compared += certain;
            Assert.Null(generation.PromptLogprobs![0]);
            for (int i = 1; i < golden.TokenIds.Length; i++) worst = Math.Max(worst, Math.Abs(golden.PromptLogprobs[i]!.Value - generation.PromptLogprobs[i]!.Logprob));
        }
        Assert.True(worst <= tolerance, $"prompt logprobs differ by {worst:E2}, allowed {tolerance:E0}");
        ConformanceLog.Write($"golden-{device}-{kvType}", $"{goldens.Length} prompts, {compared} greedy tokens, worst prompt logprob difference {worst:E1} (allowed {tolerance:E0})");
    }
}
