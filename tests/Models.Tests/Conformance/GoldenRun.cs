using System.Text.Json;
using Inference.Kernels;
using Inference.Tests.Shared;

namespace Inference.Models.Tests;

/// <summary>
/// kjv-5m against <c>golden.json</c> (PyTorch, float32) for any kernel set: logprobs of the prompts, the last row's normaliser and best logits,
/// and greedy steps fed with the right tokens where the best two logits are far enough apart.
/// </summary>
internal sealed class GoldenRun(Func<KernelSet> createKernels, KvType kvType, double tolerance)
{
    /// <summary>Below this gap an int8 or float16 path may rightly choose the other token (README of the model).</summary>
    private const double MinimumGap = 0.02;

    /// <param name="folder">The model's folder, see <see cref="RequireFolder"/>.</param>
    /// <param name="greedySteps">Steps of each continuation to check, up to 48.</param>
    /// <param name="print">Receives one line.</param>
    public void Run(string folder, int greedySteps, Action<string> print)
    {
        using JsonDocument golden = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "golden.json")));
        using KernelSet kernels = createKernels();
        using LoadedModel model = LoadedModel.Load(Path.Combine(folder, "kjv-5m-f16.gguf"), kernels);
        int prompts = 0, steps = 0;
        double worst = 0;
        foreach (JsonElement entry in golden.RootElement.GetProperty("prompts").EnumerateArray())
        {
            int[] prompt = [.. entry.GetProperty("token_ids").EnumerateArray().Select(e => e.GetInt32())];
            int[] greedy = [.. entry.GetProperty("greedy_48_ids").EnumerateArray().Take(greedySteps).Select(e => e.GetInt32())];
            double[] margins = [.. entry.GetProperty("margins").EnumerateArray().Select(e => e.GetDouble())];
            double?[] logprobs = [.. entry.GetProperty("prompt_logprobs").EnumerateArray().Select(e => e.ValueKind == JsonValueKind.Null ? (double?)null : e.GetDouble())];
            using var sequence = new SequenceRun(model, kernels, kvType, prompt.Length + greedy.Length);
            int vocabulary = model.Spec.Vocabulary;
            float[] logits = sequence.Append(prompt);
            for (int i = 1; i < prompt.Length; i++)
            {
                double actual = Logprob(logits.AsSpan((i - 1) * vocabulary, vocabulary), prompt[i]);
                worst = Math.Max(worst, Math.Abs(actual - logprobs[i]!.Value));
                Assert.Equal(logprobs[i]!.Value, actual, tolerance);
            }
            ReadOnlySpan<float> last = logits.AsSpan(logits.Length - vocabulary);
            foreach (JsonElement top in entry.GetProperty("last_prompt_logits_top8").EnumerateArray())
                Assert.Equal(top.GetProperty("logit").GetDouble(), last[top.GetProperty("id").GetInt32()], 4 * tolerance);
            float[] next = sequence.Append(greedy);
            for (int step = 0; step < greedy.Length; step++)
            {
                if (margins[step] < MinimumGap) continue;
                ReadOnlySpan<float> row = step == 0 ? last : next.AsSpan((step - 1) * vocabulary, vocabulary);
                Assert.Equal(greedy[step], row.IndexOf(row.ToArray().Max()));
                steps++;
            }
            prompts++;
        }
        Assert.Equal(10, prompts);
        print($"golden kjv-5m on {kernels.Name}, {kvType} KV: {prompts} prompts, {steps} greedy steps counted, worst logprob difference {worst:g3} of {tolerance}");
    }

    /// <summary>The folder; skips the test where it is absent.</summary>
    public static string RequireFolder() => SharedData.Require("models", "kjv-5m");

    private static double Logprob(ReadOnlySpan<float> logits, int id)
    {
        double max = double.NegativeInfinity, sum = 0;
        foreach (float value in logits) max = Math.Max(max, value);
        foreach (float value in logits) sum += Math.Exp(value - max);
        return logits[id] - max - Math.Log(sum);
    }
}
