namespace Inference.Models;

/// <summary>The ids that end a generation. Files name one or several; chat models also end a turn with a token that only its text betrays.</summary>
internal static class EndTokenSet
{
    private const int ControlType = 3; // tokenizer.ggml.token_type

    private static readonly string[] IdKeys = ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"];

    private static readonly HashSet<string> Markers =
        ["<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|endoftext|>", "<|end_of_text|>", "<|end|>", "<end_of_turn>", "<EOT>", "<｜end▁of▁sentence｜>"];

    /// <exception cref="ModelFormatException">A named id is none of the vocabulary's.</exception>
    public static IReadOnlySet<int> Read(GgufFile file, int vocabulary)
    {
        HashSet<int> ids = [];
        foreach (string key in IdKeys)
        {
            if (!file.TryGetInteger(key, out long id)) continue;
            if (id < 0 || id >= vocabulary) throw new ModelFormatException(file.Path, key, $"an id from 0 to {vocabulary - 1}", $"{id}");
            ids.Add((int)id);
        }
        int[] types = file.TryGetIntArray("tokenizer.ggml.token_type") ?? [];
        if (Array.IndexOf(types, ControlType) < 0) return ids;
        string[] tokens = file.TryGetStringArray("tokenizer.ggml.tokens") ?? [];
        for (int id = 0; id < Math.Min(tokens.Length, types.Length); id++)
            if (types[id] == ControlType && Markers.Contains(tokens[id])) ids.Add(id);
        return ids;
    }
}
