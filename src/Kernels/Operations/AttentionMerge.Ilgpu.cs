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
    public static void Run<TGroups>(AttentionMergeArgs a) where TGroups : struct, IGroups
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
                sum = Fold(sum, keep, a.Partial.MaxSum[at * 2 + 1], add);
                value = Fold(value, keep, a.Partial.Values[at * a.ValueDim + d], add);
            }
            a.Output[((long)work.Row * a.Partial.Heads + head) * a.ValueDim + d] = value * (1f / sum);
        }
    }

    /// <summary>running * keep + part * add: both were taken relative to their own greatest score, and keep and add move them to the common one.</summary>
    public static float Fold(float running, float keep, float part, float add) => running * keep + part * add;

    /// <summary><see cref="Fold(float, float, float, float)"/> in each element.</summary>
    public static Float4 Fold(Float4 running, float keep, Float4 part, float add) => new()
    {
        X = Fold(running.X, keep, part.X, add),
        Y = Fold(running.Y, keep, part.Y, add),
        Z = Fold(running.Z, keep, part.Z, add),
        W = Fold(running.W, keep, part.W, add),
    };

    /// <summary>value / sum, by the one reciprocal.</summary>
    public static Float4 Normalise(Float4 value, float sum)
    {
        float inverse = 1f / sum;
        return new() { X = value.X * inverse, Y = value.Y * inverse, Z = value.Z * inverse, W = value.W * inverse };
    }
}
