using Inference.Kernels;

namespace Inference.Models;

/// <summary>A model's weights, packed by one <see cref="KernelSet"/>. Disposing frees them all.</summary>
internal sealed class ModelWeights : IDisposable
{
    private readonly IReadOnlyList<IDisposable> owned;

    /// <param name="owned">Everything to dispose, each once: a tied head stands in two properties.</param>
    public ModelWeights(IReadOnlyList<IDisposable> owned) => this.owned = owned;

    public required Weight TokenEmbedding { get; init; }    // [vocabulary][hidden]
    public required LayerWeights[] Layers { get; init; }    // [layers]
    public required ParameterVector OutputNorm { get; init; } // [hidden]
    public required Weight Head { get; init; }              // [vocabulary][hidden]; the embedding itself when tied

    /// <summary>Bytes of all packed matrices.</summary>
    public long PackedBytes => owned.OfType<Weight>().Sum(w => w.PackedBytes);

    public void Dispose()
    {
        foreach (IDisposable part in owned) part.Dispose();
    }
}

/// <summary>Weights of one decoder block.</summary>
internal sealed record LayerWeights
{
    public required ParameterVector AttentionNorm { get; init; }        // [hidden]
    public required Weight Query { get; init; }                         // [heads * keyDim][hidden]
    public required Weight Key { get; init; }                           // [kvHeads * keyDim][hidden]
    public required Weight Value { get; init; }                         // [kvHeads * valueDim][hidden]
    public required ParameterVector? QueryBias { get; init; }           // [heads * keyDim]
    public required ParameterVector? KeyBias { get; init; }             // [kvHeads * keyDim]
    public required ParameterVector? ValueBias { get; init; }           // [kvHeads * valueDim]
    public required ParameterVector? QueryNorm { get; init; }           // [keyDim], shared by the heads
    public required ParameterVector? KeyNorm { get; init; }             // [keyDim], shared by the heads
    public required Weight AttentionOutput { get; init; }               // [hidden][heads * valueDim]
    public required ParameterVector? AttentionOutputBias { get; init; } // [hidden]
    public required ParameterVector FeedForwardNorm { get; init; }      // [hidden]
    public required Weight Gate { get; init; }                          // [feedForward][hidden]
    public required Weight Up { get; init; }                            // [feedForward][hidden]
    public required Weight Down { get; init; }                          // [hidden][feedForward]
}
