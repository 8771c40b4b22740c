using System.Globalization;
using Inference.Kernels;

namespace Inference.Models;

/// <summary>How to quantise.</summary>
/// <param name="Mix">The recipe.</param>
internal sealed record QuantizationOptions(QuantizationMix Mix)
{
    /// <summary>Every matrix gets the mix's own type. Default false.</summary>
    public bool Pure { get; init; }

    /// <summary>Type of the output matrix in place of the mix's.</summary>
    public TensorType? OutputType { get; init; }

    /// <summary>Type of the token embedding in place of the mix's.</summary>
    public TensorType? EmbeddingType { get; init; }

    /// <summary>Type of what is not quantised: vectors, norms, routers. Null: they stay as they are.</summary>
    public TensorType? VectorType { get; init; }

    /// <summary>Weights for the errors; null: plain least squares.</summary>
    public ImportanceMatrix? Importance { get; init; }

    /// <summary>Whether weights that are quantised already may be quantised again, which adds a second error to the first. Default false.</summary>
    public bool Requantize { get; init; }

    /// <summary>Worker threads; 0: one per processor.</summary>
    public int Threads { get; init; }

    /// <summary>Whether an existing file may be replaced. Default false.</summary>
    public bool Replace { get; init; }
}

/// <summary>Chooses a type for each tensor of a model.</summary>
internal static class QuantizationPlan
{
    /// <summary>Matrices that are read by other rules than products, or so small that bits saved there are not worth it.</summary>
    private static readonly string[] KeptNames = ["_norm.weight", "ffn_gate_inp.weight", "position_embd.weight", "token_types.weight", "ssm_conv1d.weight"];

    /// <summary>Tensors and their types to be, in the order given.</summary>
    public static List<GgufTensorEntry> Of(ModelFile model, IReadOnlyList<StoredTensor> tensors, QuantizationOptions options)
    {
        MixContext context = ReadContext(model, options.Importance is not null);
        bool tied = model.FindTensor(TensorNames.Output) is null;
        return [.. tensors.Select(tensor => new GgufTensorEntry(tensor.Name, Choose(tensor), tensor.Dims))];

        TensorType Choose(StoredTensor tensor)
        {
            if (!IsQuantized(tensor)) return options.VectorType ?? tensor.Type;
            TensorRole role = RoleOf(tensor.Name, tied);
            TensorType type = options.Pure ? options.Mix.Type : MixRules.TypeOf(options.Mix, role, LayerOf(tensor.Name), context);
            if (tensor.Name == TensorNames.TokenEmbedding && options.EmbeddingType is { } embedding) type = embedding;
            if (role == TensorRole.Output && options.OutputType is { } output) type = output;
            return MixRules.Fitting(type, tensor.Columns);
        }
    }

    /// <summary>Whether a tensor is a matrix of weights. Vectors, norms and routers stay as they are: they are small, and what they do is not forgiving.</summary>
    public static bool IsQuantized(StoredTensor tensor) =>
        tensor.Dims.Length > 1 && tensor.Rows > 1 && tensor.Name.EndsWith(".weight", StringComparison.Ordinal) && !KeptNames.Any(name => tensor.Name.EndsWith(name, StringComparison.Ordinal));

    private static TensorRole RoleOf(string name, bool tied)
    {
        if (name == TensorNames.Output || (tied && name == TensorNames.TokenEmbedding)) return TensorRole.Output;
        string inLayer = name.StartsWith("blk.", StringComparison.Ordinal) ? name[(name.IndexOf('.', 4) + 1)..] : name;
        return inLayer switch
        {
            TensorNames.Key => TensorRole.Key,
            TensorNames.Value => TensorRole.Value,
            "attn_qkv.weight" => TensorRole.QueryKeyValue,
            TensorNames.AttentionOutput => TensorRole.AttentionOutput,
            TensorNames.Down or "ffn_down_exps.weight" or "ffn_down_shexp.weight" => TensorRole.Down,
            _ => TensorRole.Other,
        };
    }

    private static int LayerOf(string name)
    {
        string[] parts = name.Split('.');
        return parts is ["blk", var number, ..] && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int layer) ? layer : 0;
    }

    private static MixContext ReadContext(ModelFile model, bool hasImportance)
    {
        string architecture = model.RequireString("general.architecture");
        long heads = Number("attention.head_count", 1), kvHeads = Number("attention.head_count_kv", heads);
        return new((int)Number("block_count", 0), (int)(heads / Math.Max(1, kvHeads)), (int)Number("expert_count", 0), hasImportance);

        long Number(string key, long otherwise)
        {
            key = $"{architecture}.{key}";
            // Some models have an array, one number per layer; the first stands for all.
            if (model is GgufFile file && file.Metadata.TryGetValue(key, out GgufValue value) && value.Type == GgufType.Array) return file.TryGetIntArray(key) is [var first, ..] ? first : otherwise;
            return model.TryGetInteger(key, out long number) ? number : otherwise;
        }
    }
}
