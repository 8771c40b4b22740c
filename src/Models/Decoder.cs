using Inference.Kernels;

namespace Inference.Models;

/// <summary>
/// The forward pass of every model on every device: pre-norm transformer blocks (arXiv 1706.03762) with RMS norm (1910.07467), rotary embedding
/// (2104.09864), grouped-query attention over paged KV (2305.13245, 2309.06180) and a gated feed-forward network (2002.05202).
/// A step is <see cref="PrepareRope"/>, <see cref="KernelSet.Upload"/>, <see cref="Forward"/>, then <see cref="Logits"/> for the output rows.
/// </summary>
internal sealed class Decoder(ModelSpec spec, KernelSet kernels)
{
    private readonly AttentionShape shape = spec.Attention;
    private readonly double[] frequencies = spec.Rope.Frequencies();

    /// <summary>Fills the batch's cosines and sines from its positions; float64 until the last rounding, so that far positions keep their angle.</summary>
    public void PrepareRope(StepBatch batch)
    {
        int pairs = frequencies.Length;
        double amplitude = spec.Rope.Amplitude;
        for (int row = 0; row < batch.RowCount; row++)
        {
            Span<float> turns = batch.Rope.AsSpan(row * 2 * pairs, 2 * pairs);
            for (int i = 0; i < pairs; i++)
            {
                (double sin, double cos) = Math.SinCos(batch.Positions[row] * frequencies[i]);
                turns[2 * i] = (float)(amplitude * cos);
                turns[2 * i + 1] = (float)(amplitude * sin);
            }
        }
    }

    /// <summary>Runs the batch's rows through every layer: writes their K and V into <paramref name="pages"/> and leaves the last residual in the workspace.</summary>
    public void Forward(StepBatch batch, ModelWeights weights, KvPages pages, Workspace workspace)
    {
        Activations x = workspace.Residual, q = workspace.Query, k = workspace.Key, v = workspace.Value, attention = workspace.Attention;
        Activations gate = workspace.Gate, up = workspace.Up, product = workspace.Product;

        kernels.Embed(batch, weights.TokenEmbedding, x);
        for (int layer = 0; layer < weights.Layers.Length; layer++)
        {
            LayerWeights w = weights.Layers[layer];

            // x += Wo attention(rope(Wq n), rope(Wk n), Wv n), n = norm(x)
            kernels.NormLinear(batch, x, w.AttentionNorm, spec.RmsEpsilon, [new(w.Query, w.QueryBias, q), new(w.Key, w.KeyBias, k), new(w.Value, w.ValueBias, v)]);
            kernels.QkvRopeWrite(batch, shape, q, k, v, w.QueryNorm, w.KeyNorm, spec.RmsEpsilon, pages, layer);
            kernels.PagedAttention(batch, shape, q, pages, layer, attention);
            kernels.LinearAdd(batch, attention, w.AttentionOutput, w.AttentionOutputBias, x);

            // x += Wdown (silu(Wgate n) * Wup n), n = norm(x)
            kernels.NormLinear(batch, x, w.FeedForwardNorm, spec.RmsEpsilon, [new(w.Gate, null, gate), new(w.Up, null, up)]);
            kernels.GateUpLinearAdd(batch, gate, up, product, w.Down, x);
        }
    }

    /// <summary>
    /// Logits of <paramref name="count"/> output rows from <paramref name="first"/> on, into the first rows of the workspace's logits;
    /// at most <see cref="Workspace.LogitRows"/> a call.
    /// </summary>
    public void Logits(StepBatch batch, int first, int count, ModelWeights weights, Workspace workspace) =>
        kernels.Logits(batch, first, count, workspace.Residual, weights.OutputNorm, spec.RmsEpsilon, weights.Head, workspace.Logits);
}
