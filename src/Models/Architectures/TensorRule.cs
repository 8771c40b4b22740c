namespace Inference.Models;

/// <summary>One tensor of an architecture: name and shape.</summary>
/// <param name="Name">Name in the file; of a tensor per layer, the part behind <c>blk.N.</c></param>
/// <param name="PerLayer">Whether every layer has one.</param>
/// <param name="Rows">Rows of the matrix; null: it is a vector.</param>
/// <param name="Columns">Columns of the matrix, or length of the vector.</param>
/// <param name="Optional">Whether a file may lack it (in all layers or in some).</param>
internal sealed record TensorRule(string Name, bool PerLayer, Func<ModelSpec, int>? Rows, Func<ModelSpec, int> Columns, bool Optional = false)
{
    public static TensorRule Matrix(string name, Func<ModelSpec, int> rows, Func<ModelSpec, int> columns, bool optional = false) => new(name, false, rows, columns, optional);
    public static TensorRule Vector(string name, Func<ModelSpec, int> length, bool optional = false) => new(name, false, null, length, optional);
    public static TensorRule LayerMatrix(string name, Func<ModelSpec, int> rows, Func<ModelSpec, int> columns) => new(name, true, rows, columns);
    public static TensorRule LayerVector(string name, Func<ModelSpec, int> length, bool optional = false) => new(name, true, null, length, optional);

    /// <summary>Full name in a layer.</summary>
    public string In(int layer) => PerLayer ? TensorNames.InLayer(layer, Name) : Name;

    /// <summary>Whether a tensor of those extents (innermost first) has the rule's shape; trailing extents of 1 do not count.</summary>
    public bool Fits(long[] dims, ModelSpec spec)
    {
        ReadOnlySpan<long> wanted = Rows is null ? [Columns(spec)] : [Columns(spec), Rows(spec)];
        return dims.Length >= wanted.Length && wanted.SequenceEqual(dims.AsSpan(0, wanted.Length)) && dims.AsSpan(wanted.Length).IndexOfAnyExcept(1) < 0;
    }

    /// <summary>The shape in words, as <see cref="StoredTensor.Shape"/> writes it.</summary>
    public string Shape(ModelSpec spec) => Rows is null ? $"[{Columns(spec)}]" : $"[{Rows(spec)}, {Columns(spec)}]";
}

/// <summary>The canonical tensor names, which are GGUF's.</summary>
internal static class TensorNames
{
    public const string TokenEmbedding = "token_embd.weight";
    public const string OutputNorm = "output_norm.weight";
    public const string Output = "output.weight";
    public const string RopeFactors = "rope_freqs.weight";

    public const string AttentionNorm = "attn_norm.weight";
    public const string Query = "attn_q.weight";
    public const string Key = "attn_k.weight";
    public const string Value = "attn_v.weight";
    public const string QueryBias = "attn_q.bias";
    public const string KeyBias = "attn_k.bias";
    public const string ValueBias = "attn_v.bias";
    public const string QueryNorm = "attn_q_norm.weight";
    public const string KeyNorm = "attn_k_norm.weight";
    public const string AttentionOutput = "attn_output.weight";
    public const string AttentionOutputBias = "attn_output.bias";
    public const string FeedForwardNorm = "ffn_norm.weight";
    public const string Gate = "ffn_gate.weight";
    public const string Up = "ffn_up.weight";
    public const string Down = "ffn_down.weight";

    /// <summary>Full name of a layer's tensor.</summary>
    public static string InLayer(int layer, string name) => $"blk.{layer}.{name}";
}
