using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static Inference.Kernels.TileConstants;

namespace Inference.Kernels;

/// <summary>Forms of activations that weights multiply; a set of projections that share an input may need several.</summary>
[Flags]
internal enum ActivationForm
{
    None = 0,

    /// <summary>int8 in blocks of 32 (<see cref="ActivationQuantization"/>), in tiles.</summary>
    Int8 = 1,

    /// <summary>float32, in tiles.</summary>
    Single = 2,

    /// <summary>float32 times <see cref="HalfScale"/>, in tiles.</summary>
    ScaledSingle = 4,

    /// <summary>float32 rows, for weights that are decoded at each use.</summary>
    Rows = 8,

    /// <summary>float32 rows of what the int8 form stands for.</summary>
    RoundedRows = 16,

    /// <summary>Besides <see cref="Int8"/>: the sums that mins are multiplied by.</summary>
    Sums = 32,

    /// <summary>Besides <see cref="Int8"/>: the same for 16 columns.</summary>
    HalfSums = 64,

    /// <summary>Besides <see cref="Int8"/>: what takes a zero point of 8 off.</summary>
    Zero8 = 128,

    /// <summary>Besides <see cref="Int8"/>: what takes a zero point of 16 off.</summary>
    Zero16 = 256,

    /// <summary>Besides <see cref="Int8"/>: what takes a zero point of 32 off, for 16 columns.</summary>
    Zero32 = 512,

    /// <summary>Besides <see cref="Int8"/>: what takes any zero point off sums in int32.</summary>
    Totals = 1024,

    /// <summary>Besides <see cref="Int8"/>: the same for 16 columns.</summary>
    HalfTotals = 2048,
}

/// <summary>
/// The input of one product or of several that share it, in the forms that their weights need. Tokens stand in tiles of the widest width, the
/// rest in the narrowest that holds them, since one pass over a panel with idle places costs less than two without; a tile's tokens lie side by side for each block of columns, so that a kernel's addresses are base + constant.
/// Buffers grow to the largest use and stay.
/// </summary>
internal sealed unsafe class ProductInput(int widest) : IDisposable
{
    private const int Block = ActivationQuantization.Block;
    private NativeBuffer? quants, scales, negativeSums, negativeHalfSums, corrections8, corrections16, corrections32, totals, halfTotals, values, scaledValues, rows, roundedRows, tiles;
    private ActivationForm forms;

    /// <summary>A tile: its first token, its width, how many tokens it has (the last one may have fewer), and where its activations are.</summary>
    public struct TokenTile
    {
        public int First, Width, Count;
        public TileInput Input;
    }

    public int Tokens { get; private set; }
    public int Columns { get; private set; }

    /// <summary>Tokens of the widest tile.</summary>
    public int Widest { get; } = widest;

    /// <summary>Bytes of a token's activations that stay in use while panels pass: its int8 form with scales, or the 512 columns of a float pass.</summary>
    public long BytesPerToken => Needs(ActivationForm.Int8) ? Columns * 5L / 4 : Math.Min(Columns, 512) * 4L;

    /// <summary>Tiles of the input, in order of tokens.</summary>
    public int Tiles { get; private set; }

    /// <summary>A tile of the input.</summary>
    public TokenTile* Tile(int index) => (TokenTile*)tiles!.Pointer + index;

    /// <summary>The tile that holds a token.</summary>
    public TokenTile* TileOf(int token) => Tile(token / Widest);

    /// <summary>Makes room; then <see cref="Set"/> each token.</summary>
    public void Begin(int tokens, int columns, ActivationForm needed)
    {
        (Tokens, Columns, forms) = (tokens, columns, needed);
        long elements = (tokens + Widest - 1L) / Widest * Widest * columns, blocks = elements / Block;
        if (Needs(ActivationForm.Int8))
        {
            Grow(ref quants, elements);
            Grow(ref scales, blocks * 4);
        }
        if (Needs(ActivationForm.Sums)) Grow(ref negativeSums, blocks * 4);
        if (Needs(ActivationForm.HalfSums)) Grow(ref negativeHalfSums, blocks * 8);
        if (Needs(ActivationForm.Zero8)) Grow(ref corrections8, blocks * 4);
        if (Needs(ActivationForm.Zero16)) Grow(ref corrections16, blocks * 4);
        if (Needs(ActivationForm.Zero32)) Grow(ref corrections32, blocks * 8);
        if (Needs(ActivationForm.Totals)) Grow(ref totals, blocks * 4);
        if (Needs(ActivationForm.HalfTotals)) Grow(ref halfTotals, blocks * 8);
        if (Needs(ActivationForm.Single)) Grow(ref values, elements * 4);
        if (Needs(ActivationForm.ScaledSingle)) Grow(ref scaledValues, elements * 4);
        if (Needs(ActivationForm.Rows)) Grow(ref rows, elements * 4);
        if (Needs(ActivationForm.RoundedRows)) Grow(ref roundedRows, elements * 4);
        Grow(ref tiles, (tokens / Widest + 4L) * sizeof(TokenTile));
        Tiles = 0;
        for (int first = 0, width = Widest; first < tokens; first += width)
        {
            while (width / 2 >= tokens - first) width /= 2;
            *Tile(Tiles++) = new TokenTile { First = first, Width = width, Count = Math.Min(width, tokens - first), Input = InputFrom(first) };
        }
    }

    private bool Needs(ActivationForm form) => (forms & form) != 0;

    private static void Grow(ref NativeBuffer? buffer, long bytes)
    {
        if (buffer is not null && buffer.Bytes >= bytes) return;
        buffer?.Dispose();
        buffer = new NativeBuffer(bytes);
    }

    /// <summary>A float32 row of <see cref="ActivationForm.Rows"/> or <see cref="ActivationForm.RoundedRows"/>.</summary>
    public float* Row(int token, bool rounded) => (float*)(rounded ? roundedRows! : rows!).Pointer + (long)token * Columns;

    /// <summary>Where the activations of the tile lie that begins at <paramref name="token"/>: tokens before it take as much room whatever their tiles.</summary>
    private TileInput InputFrom(int token)
    {
        long at = (long)token * Columns, block = at / Block;
        TileInput tile = default;
        if (Needs(ActivationForm.Int8))
        {
            tile.Quants = (sbyte*)quants!.Pointer + at;
            tile.Scales = (float*)scales!.Pointer + block;
        }
        if (Needs(ActivationForm.Sums)) tile.NegativeSums = (float*)negativeSums!.Pointer + block;
        if (Needs(ActivationForm.HalfSums)) tile.NegativeHalfSums = (float*)negativeHalfSums!.Pointer + 2 * block;
        if (Needs(ActivationForm.Zero8)) tile.Corrections8 = (int*)corrections8!.Pointer + block;
        if (Needs(ActivationForm.Zero16)) tile.Corrections16 = (int*)corrections16!.Pointer + block;
        if (Needs(ActivationForm.Zero32)) tile.Corrections32 = (int*)corrections32!.Pointer + 2 * block;
        if (Needs(ActivationForm.Totals)) tile.Totals = (int*)totals!.Pointer + block;
        if (Needs(ActivationForm.HalfTotals)) tile.HalfTotals = (int*)halfTotals!.Pointer + 2 * block;
        if (Needs(ActivationForm.Single)) tile.Values = (float*)values!.Pointer + at;
        if (Needs(ActivationForm.ScaledSingle)) tile.ScaledValues = (float*)scaledValues!.Pointer + at;
        return tile;
    }

    /// <summary>Sets one token from a float32 row, in every form. Different tokens may be set at the same time.</summary>
    public void Set(int token, float* x)
    {
        TokenTile* of = TileOf(token);
        int width = of->Width, index = token - of->First;
        TileInput tile = of->Input;
        if (Needs(ActivationForm.Int8)) SetBlocks(tile, Columns / Block, width, index, x);
        if (Needs(ActivationForm.Single)) Scatter(x, tile.Values + index, width, 1);
        if (Needs(ActivationForm.ScaledSingle)) Scatter(x, tile.ScaledValues + index, width, HalfScale);
        if (Needs(ActivationForm.Rows)) new ReadOnlySpan<float>(x, Columns).CopyTo(new Span<float>(Row(token, false), Columns));
        if (Needs(ActivationForm.RoundedRows)) Round(x, Row(token, true), Columns);
    }

    /// <summary>What the int8 form of a row stands for.</summary>
    private static void Round(float* x, float* to, int columns)
    {
        sbyte* q = stackalloc sbyte[Block];
        for (float* end = x + columns; x < end; x += Block, to += Block)
        {
            float scale = Quantize(x, q, out _, out _);
            for (int i = 0; i < Block; i++) to[i] = q[i] * scale;
        }
    }

    private void Scatter(float* x, float* to, int width, float factor)
    {
        int k = 0;
        if (width == 1)
            for (int n = Vector<float>.Count; k + n <= Columns; k += n) (Vector.Load(x + k) * factor).Store(to + k);
        for (; k < Columns; k++) to[(long)k * width] = x[k] * factor;
    }

    /// <summary>The int8 form of one token. Arrays that no weight of this input asked for are null.</summary>
    private static void SetBlocks(in TileInput to, int blocks, int width, int index, float* x)
    {
        TileInput tile = to;
        sbyte* quants = tile.Quants + index * Block;
        for (int b = 0, at = index; b < blocks; b++, at += width, x += Block, quants += width * Block)
        {
            float scale = Quantize(x, quants, out Vector128<int> first, out Vector128<int> second);
            tile.Scales[at] = scale;
            int firstHalf = at + b * width, secondHalf = firstHalf + width;
            if (tile.NegativeSums != null) tile.NegativeSums[at] = -scale * Vector128.Sum(first + second);
            if (tile.NegativeHalfSums != null) (tile.NegativeHalfSums[firstHalf], tile.NegativeHalfSums[secondHalf]) = (-scale * Vector128.Sum(first), -scale * Vector128.Sum(second));
            if (tile.Totals != null) tile.Totals[at] = -Vector128.Sum(first + second);
            if (tile.HalfTotals != null) (tile.HalfTotals[firstHalf], tile.HalfTotals[secondHalf]) = (-Vector128.Sum(first), -Vector128.Sum(second));
            if (tile.Corrections8 != null) tile.Corrections8[at] = Correction(first + second, -8);
            if (tile.Corrections16 != null) tile.Corrections16[at] = Correction(first + second, -16);
            if (tile.Corrections32 != null) (tile.Corrections32[firstHalf], tile.Corrections32[secondHalf]) = (Correction(first, -32), Correction(second, -32));
        }
    }

    /// <summary>Of sums by column modulo 4: those of 0 and 1 times a factor in the low int16, those of 2 and 3 in the high one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Correction(Vector128<int> sums, int factor)
    {
        Vector128<int> pairs = (sums + Vector128.Shuffle(sums, Vector128.Create(1, 0, 3, 2))) * factor;
        return pairs[0] & 0xffff | pairs[2] << 16;
    }

    /// <summary>
    /// <see cref="ActivationQuantization.Reference"/> of one block. Rounding is done by adding 1.5 * 2^23, which leaves the nearest integer (ties to
    /// even) in the low bits. Magnitudes are compared as integers, where NaN is the largest: it makes the scale NaN, and shows in the result.
    /// The sums of quants over the two halves of the block are kept by column modulo 4.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Quantize(float* x, sbyte* quants, out Vector128<int> firstSums, out Vector128<int> secondSums)
    {
        Vector256<float> a = Vector256.Load(x), b = Vector256.Load(x + 8), c = Vector256.Load(x + 16), d = Vector256.Load(x + 24);
        Vector256<int> top = Vector256.Max(Vector256.Max(Magnitude(a), Magnitude(b)), Vector256.Max(Magnitude(c), Magnitude(d)));
        Vector128<int> largest = Vector128.Max(top.GetLower(), top.GetUpper());
        largest = Vector128.Max(largest, Vector128.Shuffle(largest, Vector128.Create(2, 3, 0, 1)));
        largest = Vector128.Max(largest, Vector128.Shuffle(largest, Vector128.Create(1, 0, 3, 2)));
        Vector128<float> max = largest.AsSingle();
        Vector128<float> quotient = Vector128.AndNot(Vector128.Create(127f) / max, Vector128.Equals(max, Vector128<float>.Zero));
        Vector256<float> inverse = Vector256.Create(quotient, quotient), magic = Vector256.Create(12582912f);
        Vector256<int> bits = magic.AsInt32();
        Vector256<int> ia = (a * inverse + magic).AsInt32() - bits, ib = (b * inverse + magic).AsInt32() - bits;
        Vector256<int> ic = (c * inverse + magic).AsInt32() - bits, id = (d * inverse + magic).AsInt32() - bits;
        Vector256.Narrow(Vector256.Narrow(ia, ib), Vector256.Narrow(ic, id)).Store(quants);
        Vector256<int> first = ia + ib, second = ic + id;
        firstSums = first.GetLower() + first.GetUpper();
        secondSums = second.GetLower() + second.GetUpper();
        return max.ToScalar() / 127f;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Magnitude(Vector256<float> x) => x.AsInt32() & Vector256.Create(0x7fffffff);

    /// <summary>y = x / rms(x) * gain. Sums are kept in four vectors, so the order is fixed for a row. (arXiv 1910.07467)</summary>
    public static void Normalize(float* x, float* gain, float epsilon, float* y, int columns)
    {
        int n = Vector<float>.Count, k = 0;
        Vector<float> a = default, b = default, c = default, d = default;
        for (; k + 4 * n <= columns; k += 4 * n)
        {
            Vector<float> p = Vector.Load(x + k), q = Vector.Load(x + k + n), r = Vector.Load(x + k + 2 * n), s = Vector.Load(x + k + 3 * n);
            (a, b, c, d) = (a + p * p, b + q * q, c + r * r, d + s * s);
        }
        float sum = Vector.Sum(a + b + (c + d));
        for (; k < columns; k++) sum += x[k] * x[k];
        float inverse = 1 / MathF.Sqrt(sum / columns + epsilon);
        for (k = 0; k + n <= columns; k += n) (Vector.Load(x + k) * inverse * Vector.Load(gain + k)).Store(y + k);
        for (; k < columns; k++) y[k] = x[k] * inverse * gain[k];
    }

    public void Dispose()
    {
        foreach (NativeBuffer? b in (ReadOnlySpan<NativeBuffer?>)[quants, scales, negativeSums, negativeHalfSums, corrections8, corrections16, corrections32, totals, halfTotals, values, scaledValues, rows, roundedRows, tiles]) b?.Dispose();
    }
}
