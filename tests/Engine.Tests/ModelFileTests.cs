using System.Buffers.Binary;
using System.Text;
using Inference.Tests.Shared;

namespace Inference.Tests;

/// <summary>Model files as the engine takes them.</summary>
public class ModelFileTests
{
    private static readonly string Sample = Path.Combine(SharedData.Root, "tools", "SampleModel", "kjv-5m-f16.gguf");

    [Fact]
    public async Task A_folder_answers_as_the_file_of_the_same_weights()
    {
        string folder = SharedData.Require("models", "kjv-5m", "hf");
        var options = new GenerationOptions { MaxTokens = 12, PromptLogprobs = 0 };
        List<(int[] Ids, float[] Logprobs)> answers = [];
        foreach (ModelSource source in (ModelSource[])[ModelSource.Sample, ModelSource.FromFolder(folder), ModelSource.FromFile(Path.Combine(folder, "model.safetensors"))])
        {
            await using InferenceEngine engine = await InferenceEngine.LoadAsync(source, new EngineOptions { Device = "cpu" });
            Generation generation = engine.GenerateAsync("And it came to pass", options);
            int[] ids = [.. (await TestEngine.CollectAsync(generation)).Select(t => t.TokenId ?? -1)];
            answers.Add((ids, [.. generation.PromptLogprobs!.Skip(1).Select(p => p!.Logprob)]));
        }
        Assert.NotEmpty(answers[0].Ids);
        Assert.All(answers, answer => Assert.Equal(answers[0].Ids, answer.Ids));
        Assert.All(answers, answer => Assert.Equal(answers[0].Logprobs, answer.Logprobs));
    }

    [Fact]
    public async Task A_context_beyond_all_memory_takes_no_more_than_the_pool()
    {
        byte[] bytes = File.ReadAllBytes(Sample);
        byte[] key = Encoding.UTF8.GetBytes("llama.context_length");
        // Behind the key stand its type, a 32-bit integer, and the value.
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(bytes.AsSpan().IndexOf(key) + key.Length + 4), int.MaxValue);
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, bytes);
            await using InferenceEngine engine = await InferenceEngine.LoadAsync(ModelSource.FromFile(path), new EngineOptions { Device = "cpu", KvBlocks = 8 });
            Assert.Equal((int.MaxValue, 128), (engine.ContextLength, engine.LongestSequence));
            Assert.NotEmpty(await TestEngine.CollectAsync(engine.GenerateAsync("My son", new GenerationOptions { MaxTokens = 4 })));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_source_needs_a_path()
    {
        Assert.Throws<ArgumentException>(() => ModelSource.FromFolder(" "));
        Assert.Throws<ArgumentException>(() => ModelSource.FromFile(""));
    }
}
