using ILGPU;

namespace Inference.Kernels;

/// <summary>
/// The pages of one layer. Page = block * kvHeads + kvHead. K: [page][dim / n][slot][n elements of 16 bytes together], so that threads at neighbouring
/// positions read neighbouring 16 bytes; V: [page][slot][dim].
/// </summary>
internal struct PagesView
{
    public ArrayView<UInt4> Keys, Values;
    public int KvHeads, KeyDim, ValueDim, BlockSize;
}

/// <summary>An element type of K or V.</summary>
internal interface IKvElement
{
    static abstract KvType Type { get; }

    /// <summary>Whether heads are written in blocks of 32 dims, by <see cref="StorePair"/>; else element by element, by <see cref="Store"/>.</summary>
    static abstract bool Quantized { get; }

    /// <summary>Elements in 16 bytes.</summary>
    static abstract int PerVector { get; }

    /// <summary>Writes element <paramref name="index"/> of a plane, rounded to the type.</summary>
    static abstract void Store(ArrayView<UInt4> plane, long index, float value);

    /// <summary>Writes dims i and i + 16 of a block of a head in shared memory, and for i = 0 the block's scale.</summary>
    static abstract void StorePair(ArrayView<UInt4> plane, PagePlace place, ArrayView<float> head, int block, int i);

    /// <summary>Dims 8 * d8 .. 8 * d8 + 7 of a key.</summary>
    static abstract Float8 LoadKey<TIsa>(PagesView pages, long page, int slot, int d8) where TIsa : struct, IIsa;

    /// <summary>Dims 8 * d8 .. 8 * d8 + 7 of the value whose row is page * blockSize + slot.</summary>
    static abstract Float8 LoadValue<TIsa>(PagesView pages, int row, int d8) where TIsa : struct, IIsa;
}

/// <summary>float32 K or V.</summary>
internal readonly struct KvF32 : IKvElement
{
    public static KvType Type => KvType.F32;
    public static int PerVector => 4;
    public static bool Quantized => false;
    public static void Store(ArrayView<UInt4> plane, long index, float value) => plane.Cast<float>()[index] = value;
    public static void StorePair(ArrayView<UInt4> plane, PagePlace place, ArrayView<float> head, int block, int i) => KvScales.Unused(plane);

    public static Float8 LoadKey<TIsa>(PagesView pages, long page, int slot, int d8) where TIsa : struct, IIsa
    {
        long at = (page * (pages.KeyDim >> 2) + 2 * d8) * pages.BlockSize + slot;
        return new() { Low = Float4.FromBits(pages.Keys[at]), High = Float4.FromBits(pages.Keys[at + pages.BlockSize]) };
    }

    public static Float8 LoadValue<TIsa>(PagesView pages, int row, int d8) where TIsa : struct, IIsa
    {
        long at = (long)row * (pages.ValueDim >> 2) + 2 * d8;
        return new() { Low = Float4.FromBits(pages.Values[at]), High = Float4.FromBits(pages.Values[at + 1]) };
    }
}

/// <summary>float16 K or V.</summary>
internal readonly struct KvF16 : IKvElement
{
    public static KvType Type => KvType.F16;
    public static int PerVector => 8;
    public static bool Quantized => false;
    public static void Store(ArrayView<UInt4> plane, long index, float value) => plane.Cast<ushort>()[index] = (ushort)Numerics.FloatToHalf(value);
    public static void StorePair(ArrayView<UInt4> plane, PagePlace place, ArrayView<float> head, int block, int i) => KvScales.Unused(plane);

    public static Float8 LoadKey<TIsa>(PagesView pages, long page, int slot, int d8) where TIsa : struct, IIsa =>
        FloatRows.FromHalves<TIsa>(pages.Keys[(page * (pages.KeyDim >> 3) + d8) * pages.BlockSize + slot]);

    public static Float8 LoadValue<TIsa>(PagesView pages, int row, int d8) where TIsa : struct, IIsa =>
        FloatRows.FromHalves<TIsa>(pages.Values[(long)row * (pages.ValueDim >> 3) + d8]);
}

/// <summary>bfloat16 K or V.</summary>
internal readonly struct KvBF16 : IKvElement
{
    public static KvType Type => KvType.BF16;
    public static int PerVector => 8;
    public static bool Quantized => false;
    public static void Store(ArrayView<UInt4> plane, long index, float value) => plane.Cast<ushort>()[index] = (ushort)Numerics.FloatToBrain(value);
    public static void StorePair(ArrayView<UInt4> plane, PagePlace place, ArrayView<float> head, int block, int i) => KvScales.Unused(plane);

    public static Float8 LoadKey<TIsa>(PagesView pages, long page, int slot, int d8) where TIsa : struct, IIsa =>
        FloatRows.FromBrains(pages.Keys[(page * (pages.KeyDim >> 3) + d8) * pages.BlockSize + slot]);

    public static Float8 LoadValue<TIsa>(PagesView pages, int row, int d8) where TIsa : struct, IIsa =>
        FloatRows.FromBrains(pages.Values[(long)row * (pages.ValueDim >> 3) + d8]);
}
