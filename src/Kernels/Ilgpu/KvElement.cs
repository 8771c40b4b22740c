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

    /// <summary>Elements in 16 bytes.</summary>
    static abstract int PerVector { get; }

    /// <summary>Writes element <paramref name="index"/> of a plane, rounded to the type.</summary>
    static abstract void Store(ArrayView<UInt4> plane, long index, float value);

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
    public static void Store(ArrayView<UInt4> plane, long index, float value) => plane.Cast<float>()[index] = value;

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
    public static void Store(ArrayView<UInt4> plane, long index, float value) => plane.Cast<ushort>()[index] = (ushort)Numerics.FloatToHalf(value);

    public static Float8 LoadKey<TIsa>(PagesView pages, long page, int slot, int d8) where TIsa : struct, IIsa =>
        FloatRows.FromHalves<TIsa>(pages.Keys[(page * (pages.KeyDim >> 3) + d8) * pages.BlockSize + slot]);

    public static Float8 LoadValue<TIsa>(PagesView pages, int row, int d8) where TIsa : struct, IIsa =>
        FloatRows.FromHalves<TIsa>(pages.Values[(long)row * (pages.ValueDim >> 3) + d8]);
}
