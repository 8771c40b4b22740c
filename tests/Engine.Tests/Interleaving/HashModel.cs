using Inference.Models.Tests;
using Inference.Sampling;

namespace Inference.Tests.Interleaving;

/// <summary>The smallest model file, for <see cref="HashKernels"/>, and what a request yields when it is alone.</summary>
internal sealed class HashModel : IDisposable
{
    private readonly string path = Path.Combine(Path.GetTempPath(), $"inference-{Guid.NewGuid():n}.gguf");

    public HashModel() => File.WriteAllBytes(path, TinyModel.Writer("llama")
        .Set("tokenizer.ggml.model", "llama")
        .Set("tokenizer.ggml.scores", new float[TinyModel.Vocabulary])
        .Set("tokenizer.ggml.unknown_token_id", 0u)
        .ToArray());

    public ModelSource Source => ModelSource.FromFile(path);

    /// <summary>Tokens, each with the hash of the logits that it was chosen from.</summary>
    public static (int Token, ulong Hash)[] Alone(IReadOnlyList<int> prompt, GenerationOptions options)
    {
        var sampler = new Sampler(TinyModel.Vocabulary);
        var logits = new float[TinyModel.Vocabulary];
        List<int> tokens = [.. prompt];
        var answer = new (int, ulong)[options.MaxTokens];
        for (int i = 0; i < answer.Length; i++)
        {
            HashKernels.Predict([.. tokens], logits);
            int token = sampler.Sample(logits, options, null, [], options.Seed!.Value, i);
            answer[i] = (token, LogitMath.Hash(logits));
            tokens.Add(token);
        }
        return answer;
    }

    public void Dispose() => File.Delete(path);
}
