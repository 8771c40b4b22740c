using ILGPU;

namespace Inference.Kernels;

/// <summary>
/// The scores of several queries with one key, each in a register of its own (nested pairs, as in products). Every query is computed by the same
/// operations in the same order whatever stands beside it in the tile.
/// </summary>
internal interface IScoreTile<TSelf> where TSelf : struct, IScoreTile<TSelf>
{
    /// <summary>Queries of the tile.</summary>
    static abstract int Count { get; }

    /// <summary>Adds 8 dims of q . k; q: [query][stride] vectors of 4.</summary>
    static abstract TSelf Add<TIsa>(TSelf scores, Float8 key, ArrayView<Float4> q, int index, int stride) where TIsa : struct, IIsa;

    /// <summary>Writes the score of query i to shared[index + i * stride].</summary>
    static abstract void Store(TSelf scores, ArrayView<float> shared, int index, int stride);
}

/// <summary>The score of one query.</summary>
internal struct OneScore : IScoreTile<OneScore>
{
    public float Value;

    public static int Count => 1;

    public static OneScore Add<TIsa>(OneScore scores, Float8 key, ArrayView<Float4> q, int index, int stride) where TIsa : struct, IIsa =>
        new() { Value = Float4.Dot<TIsa>(key.High, q[index + 1], Float4.Dot<TIsa>(key.Low, q[index], scores.Value)) };

    public static void Store(OneScore scores, ArrayView<float> shared, int index, int stride) => shared[index] = scores.Value;
}

/// <summary>Two score tiles side by side.</summary>
internal struct ScorePair<THalf> : IScoreTile<ScorePair<THalf>> where THalf : struct, IScoreTile<THalf>
{
    public THalf First, Second;

    public static int Count => 2 * THalf.Count;

    public static ScorePair<THalf> Add<TIsa>(ScorePair<THalf> scores, Float8 key, ArrayView<Float4> q, int index, int stride) where TIsa : struct, IIsa => new()
    {
        First = THalf.Add<TIsa>(scores.First, key, q, index, stride),
        Second = THalf.Add<TIsa>(scores.Second, key, q, index + THalf.Count * stride, stride),
    };

    public static void Store(ScorePair<THalf> scores, ArrayView<float> shared, int index, int stride)
    {
        THalf.Store(scores.First, shared, index, stride);
        THalf.Store(scores.Second, shared, index + THalf.Count * stride, stride);
    }
}

/// <summary>The weighted sums of several queries over 8 dims of the values.</summary>
internal interface ISumTile<TSelf> where TSelf : struct, ISumTile<TSelf>
{
    static abstract int Count { get; }

    /// <summary>Adds weight * value; weights: [query][stride]. A weight of zero adds nothing, not even its product with an infinity.</summary>
    static abstract TSelf Add<TIsa>(TSelf sums, Float8 value, ArrayView<float> weights, int index, int stride) where TIsa : struct, IIsa;

    /// <summary>Writes the sums of query i to shared[index + i * stride] and the element after it.</summary>
    static abstract void Store(TSelf sums, ArrayView<Float4> shared, int index, int stride);
}

/// <summary>The sums of one query.</summary>
internal struct OneSum : ISumTile<OneSum>
{
    public Float8 Value;

    public static int Count => 1;

    public static OneSum Add<TIsa>(OneSum sums, Float8 value, ArrayView<float> weights, int index, int stride) where TIsa : struct, IIsa
    {
        float weight = weights[index];
        return weight > 0f ? new() { Value = Float8.MulAdd<TIsa>(weight, value, sums.Value) } : sums;
    }

    public static void Store(OneSum sums, ArrayView<Float4> shared, int index, int stride)
    {
        shared[index] = sums.Value.Low;
        shared[index + 1] = sums.Value.High;
    }
}

/// <summary>Two sum tiles side by side.</summary>
internal struct SumPair<THalf> : ISumTile<SumPair<THalf>> where THalf : struct, ISumTile<THalf>
{
    public THalf First, Second;

    public static int Count => 2 * THalf.Count;

    public static SumPair<THalf> Add<TIsa>(SumPair<THalf> sums, Float8 value, ArrayView<float> weights, int index, int stride) where TIsa : struct, IIsa => new()
    {
        First = THalf.Add<TIsa>(sums.First, value, weights, index, stride),
        Second = THalf.Add<TIsa>(sums.Second, value, weights, index + THalf.Count * stride, stride),
    };

    public static void Store(SumPair<THalf> sums, ArrayView<Float4> shared, int index, int stride)
    {
        THalf.Store(sums.First, shared, index, stride);
        THalf.Store(sums.Second, shared, index + THalf.Count * stride, stride);
    }
}
