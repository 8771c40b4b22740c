using ILGPU;

namespace Inference.Kernels;

/// <summary>
/// The sums of one weight row with several tokens, each in a register of its own: tiles are nested pairs, since an array indexed in a loop would go
/// through memory. A chunk of weights is loaded and decoded once for the whole tile.
/// </summary>
internal interface IQuantizedTile<TSelf> where TSelf : struct, IQuantizedTile<TSelf>
{
    /// <summary>Tokens of the tile.</summary>
    static abstract int Count { get; }

    /// <summary>Adds the products of one chunk with tokens <paramref name="token"/> .. + Count - 1; beyond <paramref name="last"/> the last is read again.</summary>
    static abstract TSelf Add<TFormat, TIsa>(TSelf sums, WeightChunk k, QuantizedRows x, int token, int last, int chunk)
        where TFormat : struct, IQuantizedFormat where TIsa : struct, IIsa;

    /// <summary>Writes the sum of token i to shared[index + i * stride].</summary>
    static abstract void Store(TSelf sums, ArrayView<float> shared, int index, int stride);
}

/// <summary>One token of a tile.</summary>
internal struct QuantizedToken : IQuantizedTile<QuantizedToken>
{
    public float Sum;

    public static int Count => 1;

    public static QuantizedToken Add<TFormat, TIsa>(QuantizedToken sums, WeightChunk k, QuantizedRows x, int token, int last, int chunk)
        where TFormat : struct, IQuantizedFormat where TIsa : struct, IIsa
    {
        int row = Math.Min(token, last);
        long at = (long)row * 2 * x.Chunks + chunk, block = (long)row * x.Chunks + chunk;
        UInt4 low = x.Quants[at], high = x.Quants[at + x.Chunks];
        float scale = x.Scales[block], sum = sums.Sum;
        if (TFormat.HasHighScale)
        {
            sum = TIsa.Fma(k.Scale * scale, TIsa.Dot16(k.Low, low, 0), sum);
            sum = TIsa.Fma(k.HighScale * scale, TIsa.Dot16(k.High, high, 0), sum);
            if (TFormat.HasMin)
            {
                var ones = new UInt4 { X = 0x01010101u, Y = 0x01010101u, Z = 0x01010101u, W = 0x01010101u };
                sum = TIsa.Fma(-k.Min * scale, TIsa.Dot16(ones, low, 0), sum);
                sum = TIsa.Fma(-k.HighMin * scale, TIsa.Dot16(ones, high, 0), sum);
            }
        }
        else
        {
            int blockSum = x.Sums[block];
            sum = TIsa.Fma(k.Scale * scale, TIsa.Dot32(k.Low, low, k.High, high, k.Zero * blockSum), sum);
            if (TFormat.HasMin) sum = TIsa.Fma(-k.Min * scale, blockSum, sum);
        }
        return new() { Sum = sum };
    }

    public static void Store(QuantizedToken sums, ArrayView<float> shared, int index, int stride) => shared[index] = sums.Sum;
}

/// <summary>Two tiles side by side.</summary>
internal struct QuantizedPair<THalf> : IQuantizedTile<QuantizedPair<THalf>> where THalf : struct, IQuantizedTile<THalf>
{
    public THalf First, Second;

    public static int Count => 2 * THalf.Count;

    public static QuantizedPair<THalf> Add<TFormat, TIsa>(QuantizedPair<THalf> sums, WeightChunk k, QuantizedRows x, int token, int last, int chunk)
        where TFormat : struct, IQuantizedFormat where TIsa : struct, IIsa => new()
        {
            First = THalf.Add<TFormat, TIsa>(sums.First, k, x, token, last, chunk),
            Second = THalf.Add<TFormat, TIsa>(sums.Second, k, x, token + THalf.Count, last, chunk),
        };

    public static void Store(QuantizedPair<THalf> sums, ArrayView<float> shared, int index, int stride)
    {
        THalf.Store(sums.First, shared, index, stride);
        THalf.Store(sums.Second, shared, index + THalf.Count * stride, stride);
    }
}

/// <summary>As <see cref="IQuantizedTile{TSelf}"/>, for float weights and float32 activations.</summary>
internal interface IFloatTile<TSelf> where TSelf : struct, IFloatTile<TSelf>
{
    static abstract int Count { get; }

    /// <summary>Adds the products of 8 weights; x: [token][vectors][2].</summary>
    static abstract TSelf Add<TIsa>(TSelf sums, Float8 w, ArrayView<Float4> x, int token, int last, int vector, int vectors) where TIsa : struct, IIsa;

    static abstract void Store(TSelf sums, ArrayView<float> shared, int index, int stride);
}

/// <summary>One token of a float tile: four sums, so that four products are under way at once; they are added pairwise at the end.</summary>
internal struct FloatToken : IFloatTile<FloatToken>
{
    public Float4 Sums;

    public static int Count => 1;

    public static FloatToken Add<TIsa>(FloatToken sums, Float8 w, ArrayView<Float4> x, int token, int last, int vector, int vectors) where TIsa : struct, IIsa
    {
        long at = ((long)Math.Min(token, last) * vectors + vector) * 2;
        return new() { Sums = Float4.MulAdd<TIsa>(w.High, x[at + 1], Float4.MulAdd<TIsa>(w.Low, x[at], sums.Sums)) };
    }

    public static void Store(FloatToken sums, ArrayView<float> shared, int index, int stride) =>
        shared[index] = sums.Sums.X + sums.Sums.Y + (sums.Sums.Z + sums.Sums.W);
}

/// <summary>Two float tiles side by side.</summary>
internal struct FloatPair<THalf> : IFloatTile<FloatPair<THalf>> where THalf : struct, IFloatTile<THalf>
{
    public THalf First, Second;

    public static int Count => 2 * THalf.Count;

    public static FloatPair<THalf> Add<TIsa>(FloatPair<THalf> sums, Float8 w, ArrayView<Float4> x, int token, int last, int vector, int vectors) where TIsa : struct, IIsa => new()
    {
        First = THalf.Add<TIsa>(sums.First, w, x, token, last, vector, vectors),
        Second = THalf.Add<TIsa>(sums.Second, w, x, token + THalf.Count, last, vector, vectors),
    };

    public static void Store(FloatPair<THalf> sums, ArrayView<float> shared, int index, int stride)
    {
        THalf.Store(sums.First, shared, index, stride);
        THalf.Store(sums.Second, shared, index + THalf.Count * stride, stride);
    }
}
