using ILGPU;
using ILGPU.Algorithms;

namespace Inference.Kernels;

/// <summary>The arguments of <see cref="AttentionMerge"/>.</summary>
internal struct AttentionMergeArgs
{
    public ArrayView<MergeWork> Work;
    public PartialSums Partial;

    /// <summary>[rows][heads * valueDim]</summary>
    public ArrayView<float> Output;

    public int ValueDim;
}

/// <summary>
/// Folds the partial results of a row's partitions in ascending order, by the operations that <see cref="AttentionKernel"/> uses when one group
/// does them all. Grid (heads, merge work), HeadThreads threads, a thread to every so many dims; float32.
/// </summary>
internal static class AttentionMerge
{
    public static void Run<TIsa, TGroups>(AttentionMergeArgs a) where TIsa : struct, IIsa where TGroups : struct, IGroups
    {
        MergeWork work = a.Work[Grid.IdxY];
        int head = Grid.IdxX, step = a.Partial.TileRows * a.Partial.Heads;
        long start = ((long)work.Slot * a.Partial.TileRows + work.TileRow) * a.Partial.Heads + head;
        for (int d = Group.IdxX; d < a.ValueDim; d += TGroups.HeadThreads)
        {
            float running = AttentionKernel.Masked, sum = 0f, value = 0f;
            for (int p = 0; p < work.Partitions; p++)
            {
                long at = start + (long)p * step;
                float max = a.Partial.MaxSum[at * 2], next = Math.Max(running, max);
                float keep = XMath.Exp(running - next), add = XMath.Exp(max - next);
                running = next;
                sum = Fold<TIsa>(sum, keep, a.Partial.MaxSum[at * 2 + 1], add);
                value = Fold<TIsa>(value, keep, a.Partial.Values[at * a.ValueDim + d], add);
            }
            a.Output[((long)work.Row * a.Partial.Heads + head) * a.ValueDim + d] = value * (1f / sum);
        }
    }

    /// <summary>running * keep + part * add: both were taken relative to their own greatest score, and keep and add move them to the common one.</summary>
    public static float Fold<TIsa>(float running, float keep, float part, float add) where TIsa : struct, IIsa => TIsa.Fma(running, keep, part * add);

    /// <summary>The same in each element.</summary>
    public static Float4 Fold<TIsa>(Float4 running, float keep, Float4 part, float add) where TIsa : struct, IIsa => new()
    {
        X = Fold<TIsa>(running.X, keep, part.X, add),
        Y = Fold<TIsa>(running.Y, keep, part.Y, add),
        Z = Fold<TIsa>(running.Z, keep, part.Z, add),
        W = Fold<TIsa>(running.W, keep, part.W, add),
    };

    /// <summary>value / sum, by the one reciprocal.</summary>
    public static Float4 Normalise(Float4 value, float sum)
    {
        float inverse = 1f / sum;
        return new() { X = value.X * inverse, Y = value.Y * inverse, Z = value.Z * inverse, W = value.W * inverse };
    }
}
