using Inference.Kernels;

namespace Inference.Models;

/// <summary>A model's numbers and switches: everything about it that is not a weight.</summary>
internal sealed record ModelSpec
{
    /// <summary>Architecture name as the file gives it, for example <c>llama</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Decoder blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>Width of the residual stream.</summary>
    public required int Hidden { get; init; }

    /// <summary>Query heads, a multiple of <see cref="KvHeads"/>.</summary>
    public required int Heads { get; init; }

    /// <summary>Key and value heads (grouped-query attention, arXiv 2305.13245).</summary>
    public required int KvHeads { get; init; }

    /// <summary>Elements of a query or key head.</summary>
    public required int KeyDim { get; init; }

    /// <summary>Elements of a value head.</summary>
    public required int ValueDim { get; init; }

    /// <summary>Width inside the feed-forward network.</summary>
    public required int FeedForward { get; init; }

    /// <summary>Token ids, rows of the embedding.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>Positions the model was trained for.</summary>
    public required int Context { get; init; }

    /// <summary>Added to the mean square in every RMS norm.</summary>
    public required float RmsEpsilon { get; init; }

    /// <summary>Rotary position embedding.</summary>
    public required RopeSpec Rope { get; init; }

    /// <summary>Whether each query and key head is normalised before it is rotated.</summary>
    public bool QkNorm { get; init; }

    /// <summary>Whether the query, key and value projections have biases.</summary>
    public bool QkvBias { get; init; }

    /// <summary>Whether the logits use the embedding matrix.</summary>
    public bool TiedHead { get; init; }

    /// <summary>Query elements of a row over all heads.</summary>
    public int QueryWidth => Heads * KeyDim;

    /// <summary>Key elements of a row over all KV heads.</summary>
    public int KeyWidth => KvHeads * KeyDim;

    /// <summary>Value elements of a row over all KV heads.</summary>
    public int ValueWidth => KvHeads * ValueDim;

    /// <summary>Attention output elements of a row over all heads.</summary>
    public int AttentionWidth => Heads * ValueDim;

    /// <summary>Shape of every layer's attention; scores are scaled by 1 / sqrt(<see cref="KeyDim"/>).</summary>
    public AttentionShape Attention => new(Heads, KvHeads, KeyDim, ValueDim, Rope.Dims, Rope.Style, (float)(1 / Math.Sqrt(KeyDim)));

    /// <summary>Shape of the pages of the model's one cache group: every layer sees the full context.</summary>
    public KvLayout CacheLayout(int blockSize, KvType keyType, KvType valueType) => new(Layers, KvHeads, KeyDim, ValueDim, blockSize, keyType, valueType);
}
