using ILGPU;

namespace Inference.Kernels;

/// <summary>The arguments of <see cref="LinearKernel"/>.</summary>
internal struct LinearArgs
{
    public PackedMatrix Weights;

    /// <summary>Activations of quantised formats.</summary>
    public QuantizedRows Quantized;

    /// <summary>Activations of float formats: [tokens][columns / 4].</summary>
    public ArrayView<Float4> X;

    /// <summary>[rows], read where HasBias is not 0.</summary>
    public ArrayView<float> Bias;

    /// <summary>[tokens][stride], of which the first rows are written: a weight that is decoded in parts multiplies part after part.</summary>
    public ArrayView<float> Y;

    public int Tokens, Stride, HasBias;

    /// <summary>Not 0: y is added to, not set.</summary>
    public int Accumulate;
}

/// <summary>
/// y[token][row] = W[row] . x[token] (+ bias) (+ y). Grid (rows / Rows, tokens / tile), group Lanes * Rows threads: thread t serves row t / Lanes
/// and chunks t % Lanes, + Lanes, ... for the tokens of its tile. Float32 sums in one order for every number of tokens: a lane's chunks in
/// order, then a binary tree over lanes in shared memory.
/// </summary>
internal static class LinearKernel
{
    /// <summary>int8 activations; a chunk is 32 weights.</summary>
    public static void Quantized<TFormat, TIsa, TGroups, TTile>(LinearArgs a)
        where TFormat : struct, IQuantizedFormat where TIsa : struct, IIsa where TGroups : struct, IGroups where TTile : struct, IQuantizedTile<TTile>
    {
        int t = Group.IdxX, lane = (int)((uint)t % (uint)TGroups.Lanes), token = Grid.IdxY * TTile.Count;
        int row = Math.Min(Grid.IdxX * TGroups.Rows + (int)((uint)t / (uint)TGroups.Lanes), a.Weights.Rows - 1); // no early return before a barrier
        ArrayView<float> shared = SharedMemory.Allocate<float>(TGroups.Lanes * TGroups.Rows * TTile.Count);
        TTile sums = default;
        for (int chunk = lane; chunk < a.Weights.Chunks; chunk += TGroups.Lanes)
            sums = TTile.Add<TFormat, TIsa>(sums, TFormat.Load<TIsa>(a.Weights, row, chunk), a.Quantized, token, a.Tokens - 1, chunk);
        TTile.Store(sums, shared, t, TGroups.Lanes * TGroups.Rows);
        Finish<TGroups>(a, shared, TTile.Count, t, lane, token);
    }

    /// <summary>float32 activations; a chunk is 8 weights.</summary>
    public static void Floats<TFormat, TIsa, TGroups, TTile>(LinearArgs a)
        where TFormat : struct, IFloatFormat where TIsa : struct, IIsa where TGroups : struct, IGroups where TTile : struct, IFloatTile<TTile>
    {
        int t = Group.IdxX, lane = (int)((uint)t % (uint)TGroups.Lanes), token = Grid.IdxY * TTile.Count, vectors = a.Weights.Chunks * 4;
        int row = Math.Min(Grid.IdxX * TGroups.Rows + (int)((uint)t / (uint)TGroups.Lanes), a.Weights.Rows - 1);
        ArrayView<float> shared = SharedMemory.Allocate<float>(TGroups.Lanes * TGroups.Rows * TTile.Count);
        TTile sums = default;
        for (int vector = lane; vector < vectors; vector += TGroups.Lanes)
            sums = TTile.Add<TIsa>(sums, TFormat.Load<TIsa>(a.Weights, row, vector), a.X, token, a.Tokens - 1, vector, vectors);
        TTile.Store(sums, shared, t, TGroups.Lanes * TGroups.Rows);
        Finish<TGroups>(a, shared, TTile.Count, t, lane, token);
    }

    /// <summary>Adds the lanes and writes the results. shared: [token of tile][row of group][lane].</summary>
    private static void Finish<TGroups>(LinearArgs a, ArrayView<float> shared, int count, int t, int lane, int token) where TGroups : struct, IGroups
    {
        Group.Barrier();
        for (int s = TGroups.Lanes / 2; s > 0; s >>= 1)
        {
            if (lane < s)
            {
                for (int k = 0; k < count; k++) shared[k * TGroups.Lanes * TGroups.Rows + t] += shared[k * TGroups.Lanes * TGroups.Rows + t + s];
            }
            Group.Barrier();
        }
        for (int i = t; i < TGroups.Rows * count; i += TGroups.Lanes * TGroups.Rows)
        {
            int row = Grid.IdxX * TGroups.Rows + (int)((uint)i % (uint)TGroups.Rows), k = (int)((uint)i / (uint)TGroups.Rows);
            if (row < a.Weights.Rows && token + k < a.Tokens)
            {
                float y = shared[i * TGroups.Lanes];
                long at = (long)(token + k) * a.Stride + row;
                if (a.HasBias != 0) y += a.Bias[row];
                a.Y[at] = a.Accumulate != 0 ? a.Y[at] + y : y;
            }
        }
    }
}
