using Inference.Evaluation;
using Inference.Kernels;

namespace Inference.Cli;

/// <summary>Results of <c>perplexity</c> for people and as JSON.</summary>
/// <param name="Engine">The engine that ran.</param>
/// <param name="Pages">KV cache of the run.</param>
/// <param name="Windows">The text.</param>
/// <param name="Result">Its measures.</param>
/// <param name="Base">Name of the model whose logits it was compared with, or null.</param>
internal sealed record PerplexityReport(InferenceEngine Engine, KvLayout Pages, TextWindows Windows, PerplexityResult Result, string? Base)
{
    public void Write(TextWriter output)
    {
        output.WriteLine($"model          {Engine.ModelName} on {Engine.GetStatistics().Device}");
        output.WriteLine($"weights        {ByteSize.Format(Engine.Model.Weights.PackedBytes)} in memory, {ByteSize.Format(Engine.Model.MatrixBytes)} in the file; KV cache {Pages.BytesPerToken:N0} bytes a token");
        output.WriteLine($"text           {Windows.Predictions:N0} predicted tokens in {Windows.Count:N0} windows of {Windows.Context:N0}, {Windows.Predictions / Result.Seconds:F0} tokens/s");
        output.WriteLine($"mean NLL       {Result.Nll.Mean:F6} +- {Result.Nll.StandardError:F6}");
        output.WriteLine($"perplexity     {Result.Perplexity:F4} +- {Result.PerplexityError:F4}");
        if (Base is null) return;
        output.WriteLine($"KL divergence  mean {Result.Divergence.Mean:0.000E-0} +- {Result.Divergence.StandardError:0.0E-0}, max {Result.Divergence.Max:0.000E-0}, from {Base}");
        output.WriteLine($"same top token {100 * Result.TopAgreement:F2} %");
    }

    public void WriteJson(TextWriter output) => JsonText.Write(output, json =>
    {
        json.WriteString("model", Engine.ModelName);
        json.WriteString("device", Engine.GetStatistics().Device);
        json.WriteNumber("weight_bytes", Engine.Model.Weights.PackedBytes);
        json.WriteNumber("file_weight_bytes", Engine.Model.MatrixBytes);
        json.WriteString("key_type", Name(Pages.KeyType));
        json.WriteString("value_type", Name(Pages.ValueType));
        json.WriteNumber("kv_bytes_per_token", Pages.BytesPerToken);
        json.WriteNumber("context", Windows.Context);
        json.WriteNumber("windows", Windows.Count);
        json.WriteNumber("predicted_tokens", Windows.Predictions);
        json.WriteReal("seconds", Math.Round(Result.Seconds, 3));
        json.WriteReal("mean_nll", Result.Nll.Mean);
        json.WriteReal("mean_nll_error", Result.Nll.StandardError);
        json.WriteReal("perplexity", Result.Perplexity);
        json.WriteReal("perplexity_error", Result.PerplexityError);
        if (Base is null) return;
        json.WriteStartObject("divergence");
        json.WriteString("base", Base);
        json.WriteReal("mean", Result.Divergence.Mean);
        json.WriteReal("mean_error", Result.Divergence.StandardError);
        json.WriteReal("max", Result.Divergence.Max);
        json.WriteReal("same_top_token", Result.TopAgreement);
        json.WriteEndObject();
    });

    private static string Name(KvType type) => type.ToString().ToLowerInvariant();
}
