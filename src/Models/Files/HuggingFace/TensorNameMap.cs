using System.Globalization;

namespace Inference.Models;

/// <summary>Hugging Face's tensor names and the canonical ones.</summary>
internal static class TensorNameMap
{
    private const string Layers = "model.layers.", CanonicalLayers = "blk.";

    private static readonly (string Own, string Canonical)[] Names =
    [
        ("model.embed_tokens.weight", TensorNames.TokenEmbedding),
        ("model.norm.weight", TensorNames.OutputNorm),
        ("lm_head.weight", TensorNames.Output),
    ];

    private static readonly (string Own, string Canonical)[] LayerNames =
    [
        ("input_layernorm.weight", TensorNames.AttentionNorm),
        ("self_attn.q_proj.weight", TensorNames.Query),
        ("self_attn.k_proj.weight", TensorNames.Key),
        ("self_attn.v_proj.weight", TensorNames.Value),
        ("self_attn.q_proj.bias", TensorNames.QueryBias),
        ("self_attn.k_proj.bias", TensorNames.KeyBias),
        ("self_attn.v_proj.bias", TensorNames.ValueBias),
        ("self_attn.q_norm.weight", TensorNames.QueryNorm),
        ("self_attn.k_norm.weight", TensorNames.KeyNorm),
        ("self_attn.o_proj.weight", TensorNames.AttentionOutput),
        ("self_attn.o_proj.bias", TensorNames.AttentionOutputBias),
        ("post_attention_layernorm.weight", TensorNames.FeedForwardNorm),
        ("mlp.gate_proj.weight", TensorNames.Gate),
        ("mlp.up_proj.weight", TensorNames.Up),
        ("mlp.down_proj.weight", TensorNames.Down),
    ];

    /// <summary>The canonical name of a tensor in a folder; null where there is none.</summary>
    public static string? ToCanonical(string own) => Translate(own, Layers, n => n.Own, CanonicalLayers, n => n.Canonical);

    /// <summary>What a folder calls a tensor of that canonical name; null where it is no canonical name.</summary>
    public static string? ToOwn(string canonical) => Translate(canonical, CanonicalLayers, n => n.Canonical, Layers, n => n.Own);

    /// <summary>Buffers that old checkpoints hold beside their weights and that every loader computes itself.</summary>
    public static bool IsComputed(string own) => own.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal);

    private static string? Translate(string name, string prefix, Func<(string Own, string Canonical), string> from, string newPrefix, Func<(string Own, string Canonical), string> to)
    {
        foreach ((string, string) pair in Names)
            if (from(pair) == name) return to(pair);
        if (!name.StartsWith(prefix, StringComparison.Ordinal) || name.IndexOf('.', prefix.Length) is not (> 0 and var dot)) return null;
        ReadOnlySpan<char> number = name.AsSpan(prefix.Length, dot - prefix.Length), rest = name.AsSpan(dot + 1);
        // One spelling for each layer: "01" would be a second name of layer 1.
        if (!int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int layer) || (number[0] == '0' && number.Length > 1)) return null;
        foreach ((string, string) pair in LayerNames)
            if (rest.SequenceEqual(from(pair))) return string.Create(CultureInfo.InvariantCulture, $"{newPrefix}{layer}.{to(pair)}");
        return null;
    }
}
