using Inference.Kernels;

namespace Inference.Models;

/// <summary>
/// An architecture as data: which numbers a file must give, which tensors of which shape, and the switches of the one decoder block.
/// It computes nothing. A new one is a file beside this and a line in <see cref="All"/>.
/// </summary>
internal sealed record Architecture
{
    /// <summary>Every architecture this build runs.</summary>
    public static IReadOnlyList<Architecture> All { get; } = [Llama.Definition, Qwen2.Definition, Qwen3.Definition];

    /// <summary>Value of <c>general.architecture</c>, and the prefix of its keys.</summary>
    public required string Name { get; init; }

    /// <summary>How rotary embedding pairs dims in the files of this architecture.</summary>
    public required RopeStyle RopeStyle { get; init; }

    /// <summary>Numbers in an order in which each needs only those before it.</summary>
    public required IReadOnlyList<NumberRule> Numbers { get; init; }

    /// <summary>Tensors; any other in a file is an error, for a model that computes with less than it has gives wrong answers.</summary>
    public required IReadOnlyList<TensorRule> Tensors { get; init; }

    /// <summary>The architecture a file names.</summary>
    /// <exception cref="ModelFormatException">The file is no language model, or its architecture is unknown; the error lists the known ones.</exception>
    public static Architecture Of(ModelFile file)
    {
        file.RequireModel();
        string name = file.RequireString("general.architecture");
        return All.FirstOrDefault(a => a.Name == name)
            ?? throw file.Error("general.architecture", "one of " + string.Join(", ", All.Select(a => a.Name)), name);
    }
}

/// <summary>Numbers and tensors that the pre-norm decoder block with gated feed-forward has in every architecture built on it.</summary>
internal static class DecoderBlock
{
    public const string Layers = "block_count";
    public const string Hidden = "embedding_length";
    public const string FeedForward = "feed_forward_length";
    public const string Context = "context_length";
    public const string Heads = "attention.head_count";
    public const string KvHeads = "attention.head_count_kv";
    public const string KeyDim = "attention.key_length";
    public const string ValueDim = "attention.value_length";
    public const string RmsEpsilon = "attention.layer_norm_rms_epsilon";
    public const string RopeTheta = "rope.freq_base";
    public const string RopeDims = "rope.dimension_count";

    public static IReadOnlyList<NumberRule> Numbers { get; } =
    [
        NumberRule.Required(Layers),
        NumberRule.Required(Hidden),
        NumberRule.Required(FeedForward),
        NumberRule.Required(Context),
        NumberRule.Required(Heads),
        NumberRule.Default(KvHeads, n => n[Heads]),
        NumberRule.Default(KeyDim, n => Math.Floor(n[Hidden] / n[Heads])),
        NumberRule.Default(ValueDim, n => Math.Floor(n[Hidden] / n[Heads])),
        NumberRule.Required(RmsEpsilon, NumberKind.Real),
        NumberRule.Default(RopeTheta, _ => 10000, NumberKind.Real),
        NumberRule.Default(RopeDims, n => n[KeyDim]),
        NumberRule.MustEqual("expert_count", 0, NumberKind.CountOrZero),
        NumberRule.MustEqual("attention.causal", 1, NumberKind.Flag),
    ];

    public static IReadOnlyList<TensorRule> Tensors { get; } =
    [
        TensorRule.Matrix(TensorNames.TokenEmbedding, s => s.Vocabulary, s => s.Hidden),
        TensorRule.Vector(TensorNames.OutputNorm, s => s.Hidden),
        TensorRule.Matrix(TensorNames.Output, s => s.Vocabulary, s => s.Hidden, optional: true), // absent: tied to the embedding
        TensorRule.LayerVector(TensorNames.AttentionNorm, s => s.Hidden),
        TensorRule.LayerMatrix(TensorNames.Query, s => s.QueryWidth, s => s.Hidden),
        TensorRule.LayerMatrix(TensorNames.Key, s => s.KeyWidth, s => s.Hidden),
        TensorRule.LayerMatrix(TensorNames.Value, s => s.ValueWidth, s => s.Hidden),
        TensorRule.LayerMatrix(TensorNames.AttentionOutput, s => s.Hidden, s => s.AttentionWidth),
        TensorRule.LayerVector(TensorNames.FeedForwardNorm, s => s.Hidden),
        TensorRule.LayerMatrix(TensorNames.Gate, s => s.FeedForward, s => s.Hidden),
        TensorRule.LayerMatrix(TensorNames.Up, s => s.FeedForward, s => s.Hidden),
        TensorRule.LayerMatrix(TensorNames.Down, s => s.Hidden, s => s.FeedForward),
    ];

    /// <summary>Biases of the query, key and value projections.</summary>
    public static IReadOnlyList<TensorRule> QkvBiases(bool optional) =>
    [
        TensorRule.LayerVector(TensorNames.QueryBias, s => s.QueryWidth, optional),
        TensorRule.LayerVector(TensorNames.KeyBias, s => s.KeyWidth, optional),
        TensorRule.LayerVector(TensorNames.ValueBias, s => s.ValueWidth, optional),
    ];
}
