using ILGPU;
using ILGPU.Algorithms;

namespace Inference.Kernels;

/// <summary>The arguments of <see cref="RmsNormKernel"/>.</summary>
internal struct RmsNormArgs
{
    /// <summary>[rows of the batch][columns / 4]</summary>
    public ArrayView<Float4> X;

    /// <summary>[normed rows] row of X.</summary>
    public ArrayView<int> RowMap;

    /// <summary>[columns / 4]</summary>
    public ArrayView<Float4> Gain;

    /// <summary>[normed rows][columns / 4], written where TFloats is 1.</summary>
    public ArrayView<Float4> Normed;

    /// <summary>Written where TQuants is 1.</summary>
    public QuantizedRows Quantized;

    public int Columns;
    public float Epsilon;
}

/// <summary>
/// y = x / sqrt(mean(x^2) + epsilon) * gain, as float32, as int8 blocks, or both. Grid (rows), NormThreads threads to a row. Squares are summed in
/// float32: strided by thread, then a binary tree; blocks of 32 are written by one thread each.
/// </summary>
internal static class RmsNormKernel
{
    public static void Run<TIsa, TGroups, TFloats, TQuants>(RmsNormArgs a)
        where TIsa : struct, IIsa where TGroups : struct, IGroups where TFloats : struct, IConst where TQuants : struct, IConst
    {
        int t = Group.IdxX, row = Grid.IdxX, vectors = a.Columns >> 2;
        long start = (long)a.RowMap[row] * vectors;
        ArrayView<float> shared = SharedMemory.Allocate<float>(TGroups.NormThreads);
        float sum = 0f;
        for (int i = t; i < vectors; i += TGroups.NormThreads)
        {
            Float4 v = a.X[start + i];
            sum = Float4.Dot<TIsa>(v, v, sum);
        }
        shared[t] = sum;
        Group.Barrier();
        for (int s = TGroups.NormThreads / 2; s > 0; s >>= 1)
        {
            if (t < s) shared[t] += shared[t + s];
            Group.Barrier();
        }
        float factor = 1f / XMath.Sqrt(shared[0] / a.Columns + a.Epsilon);
        var values = new NormedValues { X = a.X, Gain = a.Gain, Start = start, Factor = factor };
        if (TFloats.Value > 0)
        {
            for (int i = t; i < vectors; i += TGroups.NormThreads) a.Normed[(long)row * vectors + i] = values.Load(i);
        }
        if (TQuants.Value > 0)
        {
            for (int chunk = t; chunk < a.Quantized.Chunks; chunk += TGroups.NormThreads) ActivationQuantizationKernel.Block(values, a.Quantized, row, chunk);
        }
    }

    private struct NormedValues : IValueSource
    {
        public ArrayView<Float4> X, Gain;
        public long Start;
        public float Factor;

        public readonly Float4 Load(int i)
        {
            Float4 v = X[Start + i], g = Gain[i];
            return new() { X = v.X * Factor * g.X, Y = v.Y * Factor * g.Y, Z = v.Z * Factor * g.Z, W = v.W * Factor * g.W };
        }
    }
}
