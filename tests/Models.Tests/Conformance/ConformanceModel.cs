using System.Runtime.InteropServices;
using System.Text.Json;
using Inference.Kernels;
using Inference.Tests.Shared;

namespace Inference.Models.Tests;

/// <summary>One entry of <c>shared/conformance/models/index.json</c>: a small model, and what llama.cpp computes with it exactly and as it runs by default.</summary>
internal sealed record ConformanceModel(string Name, string Path, int Vocabulary, int[] Prompt, float[] ExactLogits, int[] GreedyExact, double[] GreedyGap, double MaxDiff, double RmsDiff, double KlMean, double KlMax)
{
    /// <summary>Names a folder of further models, made with mkgguf and quantised, called as the stored ones are.</summary>
    private const string MadeFolderVariable = "INFERENCE_MADE_MODELS";

    /// <summary>The models with a file whose tensor types this build reads, and the names of those with a file it does not read.</summary>
    public static (List<ConformanceModel> Models, List<string> Unread) Load(string folder)
    {
        using JsonDocument index = JsonDocument.Parse(File.ReadAllText(System.IO.Path.Combine(folder, "index.json")));
        int[] prompt = Values<int>(index.RootElement.GetProperty("prompt"));
        string? made = Environment.GetEnvironmentVariable(MadeFolderVariable);
        List<ConformanceModel> models = [];
        List<string> unread = [];
        foreach (JsonElement entry in index.RootElement.GetProperty("models").EnumerateArray())
        {
            string name = $"{entry.GetProperty("model").GetString()}-{entry.GetProperty("type").GetString()}";
            string path = System.IO.Path.Combine(entry.GetProperty("gguf").GetString() is null ? made ?? folder : folder, name + ".gguf");
            if (!File.Exists(path)) continue;
            if (entry.GetProperty("tensor_types").EnumerateObject().Any(t => TensorFormat.All.All(f => f.Name != t.Name)))
            {
                unread.Add(name);
                continue;
            }
            float[] exact = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(System.IO.Path.Combine(folder, entry.GetProperty("logits_exact").GetString()!))).ToArray();
            models.Add(new(name, path, entry.GetProperty("vocab").GetInt32(), prompt, exact,
                Values<int>(entry.GetProperty("greedy_exact")), Values<double>(entry.GetProperty("greedy_exact_gap")),
                entry.GetProperty("max_abs_diff").GetDouble(), entry.GetProperty("rms_diff").GetDouble(),
                entry.GetProperty("llamacpp_kl_mean").GetDouble(), entry.GetProperty("llamacpp_kl_max").GetDouble()));
        }
        return (models, unread);
    }

    /// <summary>The folder; skips the test where it is absent.</summary>
    public static string RequireFolder() => SharedData.Require("conformance", "models");

    private static T[] Values<T>(JsonElement array) => [.. array.EnumerateArray().Select(e => (T)Convert.ChangeType(e.GetDouble(), typeof(T)))];
}
