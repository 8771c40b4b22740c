namespace Inference.Kernels;

/// <summary>out = sum over p of softmax(scale * q.k_p) v_p. (Attention is all you need, arXiv 1706.03762)</summary>
internal static class Attention
{
    /// <summary>Positions of one partition: softmax statistics are taken per partition and merged in order, so answers do not depend on the batch.</summary>
    public const int Partition = 256;

    /// <param name="query">[keyDim]</param>
    /// <param name="keys">[length][keyDim]</param>
    /// <param name="values">[length][valueDim]</param>
    /// <param name="scale">Factor of the scores.</param>
    /// <param name="output">[valueDim]</param>
    public static void Reference(ReadOnlySpan<float> query, ReadOnlySpan<float> keys, ReadOnlySpan<float> values, float scale, Span<float> output)
    {
        int length = keys.Length / query.Length;
        var scores = new double[length];
        double max = double.NegativeInfinity, sum = 0;
        for (int p = 0; p < length; p++)
        {
            for (int d = 0; d < query.Length; d++) scores[p] += (double)query[d] * keys[p * query.Length + d];
            scores[p] *= scale;
            max = Math.Max(max, scores[p]);
        }
        var result = new double[output.Length];
        for (int p = 0; p < length; p++)
        {
            double weight = Math.Exp(scores[p] - max);
            sum += weight;
            for (int d = 0; d < result.Length; d++) result[d] += weight * values[p * result.Length + d];
        }
        for (int d = 0; d < result.Length; d++) output[d] = (float)(result[d] / sum);
    }
}
