using System.Text.Json;
using Inference.Tests.Shared;

namespace Inference.Tests;

/// <summary>golden.json of the sample model: what PyTorch computes with the same weights in F32.</summary>
internal sealed record Golden(string Prompt, int[] TokenIds, int[] Greedy, double[] Margins, double?[] PromptLogprobs)
{
    public static Golden[] Load()
    {
        using JsonDocument json = JsonDocument.Parse(File.ReadAllText(Path.Combine(SharedData.Root, "tools", "SampleModel", "golden.json")));
        return [.. json.RootElement.GetProperty("prompts").EnumerateArray().Select(p => new Golden(
            p.GetProperty("prompt").GetString()!,
            [.. p.GetProperty("token_ids").EnumerateArray().Select(e => e.GetInt32())],
            [.. p.GetProperty("greedy_48_ids").EnumerateArray().Select(e => e.GetInt32())],
            [.. p.GetProperty("margins").EnumerateArray().Select(e => e.GetDouble())],
            [.. p.GetProperty("prompt_logprobs").EnumerateArray().Select(e => e.ValueKind == JsonValueKind.Null ? (double?)null : e.GetDouble())]))];
    }

    /// <summary>Greedy tokens that any correct computation must give: up to the first margin under 0.02, where f16 and int8 may rightly differ.</summary>
    public int Certain(int tokens)
    {
        int n = Array.FindIndex(Margins, m => m < 0.02);
        return Math.Min(tokens, n < 0 ? Greedy.Length : n);
    }
}
