using ILGPU;

namespace Inference.Kernels;

/// <summary>
/// Q8_0 K or V, see <see cref="KvBlock"/>. A page has the integers as other types lie, 16 to a vector, then the scales as float16: K [dim / 32][slot], V [slot][dim / 32].
/// </summary>
internal readonly struct KvQ8_0 : IKvElement
{
    public static KvType Type => KvType.Q8_0;
    public static bool Quantized => true;
    public static int PerVector => 16;

    public static void Store(ArrayView<UInt4> plane, long index, float value) => KvScales.Unused(plane);

    public static void StorePair(ArrayView<UInt4> plane, PagePlace place, ArrayView<float> head, int block, int i)
    {
        uint scale = Numerics.FloatToHalf(KvScales.Greatest(head, block) / 127f);
        float inverse = KvScales.Inverse(scale);
        ArrayView<byte> bytes = plane.Cast<byte>();
        int d = block * KvBlock.Dims + i;
        bytes[place.Byte16(d >> 4) + i] = (byte)Numerics.RoundToInt(head[d] * inverse);
        bytes[place.Byte16((d >> 4) + 1) + i] = (byte)Numerics.RoundToInt(head[d + 16] * inverse);
        if (i == 0) plane.Cast<ushort>()[place.Scale(16, block)] = (ushort)scale;
    }

    public static Float8 LoadKey<TIsa>(PagesView pages, long page, int slot, int d8) where TIsa : struct, IIsa =>
        Load<TIsa>(pages.Keys, PagePlace.Key<KvQ8_0>(pages, page, slot), d8);

    public static Float8 LoadValue<TIsa>(PagesView pages, int row, int d8) where TIsa : struct, IIsa => Load<TIsa>(pages.Values, PagePlace.Value<KvQ8_0>(pages, row), d8);

    private static Float8 Load<TIsa>(ArrayView<UInt4> plane, PagePlace place, int d8) where TIsa : struct, IIsa
    {
        UInt4 v = plane[place.Vector(d8 >> 1)];
        bool upper = (d8 & 1) != 0;
        uint a = upper ? v.Z : v.X, b = upper ? v.W : v.Y;
        float scale = TIsa.Half(plane.Cast<ushort>()[place.Scale(16, d8 >> 2)]);
        return new() { Low = Four(a, scale), High = Four(b, scale) };
    }

    private static Float4 Four(uint w, float scale) => new()
    {
        X = scale * ((int)w << 24 >> 24),
        Y = scale * ((int)w << 16 >> 24),
        Z = scale * ((int)w << 8 >> 24),
        W = scale * ((int)w >> 24),
    };
}

/// <summary>Q4_0 K or V: a vector holds integer + 8 of 32 dims, dim i in the low and dim i + 16 in the high half of byte i; scales as in <see cref="KvQ8_0"/>.</summary>
internal readonly struct KvQ4_0 : IKvElement
{
    public static KvType Type => KvType.Q4_0;
    public static bool Quantized => true;
    public static int PerVector => 32;

    public static void Store(ArrayView<UInt4> plane, long index, float value) => KvScales.Unused(plane);

    public static void StorePair(ArrayView<UInt4> plane, PagePlace place, ArrayView<float> head, int block, int i)
    {
        uint scale = Numerics.FloatToHalf(KvScales.Extreme(head, block) / -8f);
        float inverse = KvScales.Inverse(scale);
        int d = block * KvBlock.Dims + i;
        plane.Cast<byte>()[place.Byte16(block) + i] = (byte)(Nibble(head[d] * inverse) | (Nibble(head[d + 16] * inverse) << 4));
        if (i == 0) plane.Cast<ushort>()[place.Scale(32, block)] = (ushort)scale;
    }

    private static int Nibble(float x) => (int)Math.Min(Math.Max(x + 8.5f, 0f), 15f);

    public static Float8 LoadKey<TIsa>(PagesView pages, long page, int slot, int d8) where TIsa : struct, IIsa =>
        Load<TIsa>(pages.Keys, PagePlace.Key<KvQ4_0>(pages, page, slot), d8);

    public static Float8 LoadValue<TIsa>(PagesView pages, int row, int d8) where TIsa : struct, IIsa => Load<TIsa>(pages.Values, PagePlace.Value<KvQ4_0>(pages, row), d8);

    private static Float8 Load<TIsa>(ArrayView<UInt4> plane, PagePlace place, int d8) where TIsa : struct, IIsa
    {
        UInt4 v = plane[place.Vector(d8 >> 2)];
        bool upper = (d8 & 1) != 0;
        int shift = (d8 & 2) << 1;
        float scale = TIsa.Half(plane.Cast<ushort>()[place.Scale(32, d8 >> 2)]);
        return new() { Low = Four((upper ? v.Z : v.X) >> shift, scale), High = Four((upper ? v.W : v.Y) >> shift, scale) };
    }

    private static Float4 Four(uint w, float scale) => new()
    {
        X = scale * ((int)(w & 15u) - 8),
        Y = scale * ((int)((w >> 8) & 15u) - 8),
        Z = scale * ((int)((w >> 16) & 15u) - 8),
        W = scale * ((int)((w >> 24) & 15u) - 8),
    };
}

/// <summary>Where the K or V of one token and head lies in a quantised plane.</summary>
internal struct PagePlace
{
    /// <summary>First vector of the page, and the token's in it; vectors from one run of dims to the next.</summary>
    public long Page, First;
    public int Step;

    /// <summary>Index of the token's first scale behind the page's vectors, and from one block of dims to the next.</summary>
    public int FirstScale, ScaleStep;

    /// <summary>Dims times tokens of a page.</summary>
    public int Elements;

    public static PagePlace Key<TElement>(PagesView pages, long page, int slot) where TElement : struct, IKvElement => new()
    {
        Page = page * PageVectors(pages.BlockSize * pages.KeyDim, TElement.PerVector),
        First = slot,
        Step = pages.BlockSize,
        FirstScale = slot,
        ScaleStep = pages.BlockSize,
        Elements = pages.BlockSize * pages.KeyDim,
    };

    public static PagePlace Value<TElement>(PagesView pages, int row) where TElement : struct, IKvElement
    {
        int page = (int)((uint)row / (uint)pages.BlockSize), slot = row - page * pages.BlockSize;
        return new()
        {
            Page = (long)page * PageVectors(pages.BlockSize * pages.ValueDim, TElement.PerVector),
            First = (long)slot * (pages.ValueDim / TElement.PerVector),
            Step = 1,
            FirstScale = slot * (pages.ValueDim / KvBlock.Dims),
            ScaleStep = 1,
            Elements = pages.BlockSize * pages.ValueDim,
        };
    }

    /// <summary>Vectors of a page of so many dims times tokens: integers, then a float16 to each 32 of them.</summary>
    private static int PageVectors(int elements, int perVector) => elements / perVector + elements / (KvBlock.Dims * 8);

    public readonly long Vector(int run) => Page + First + (long)run * Step;

    public readonly long Byte16(int run) => Vector(run) * 16;

    public readonly long Scale(int perVector, int block) => (Page + Elements / perVector) * 8 + FirstScale + block * ScaleStep;
}

/// <summary>Reductions over a block of a head, by each thread for itself.</summary>
internal static class KvScales
{
    public static float Greatest(ArrayView<float> head, int block)
    {
        float max = 0f;
        for (int i = 0; i < KvBlock.Dims; i++) max = Math.Max(max, Math.Abs(head[block * KvBlock.Dims + i]));
        return max;
    }

    /// <summary>The first element of the largest magnitude.</summary>
    public static float Extreme(ArrayView<float> head, int block)
    {
        float extreme = 0f;
        for (int i = 0; i < KvBlock.Dims; i++)
        {
            float x = head[block * KvBlock.Dims + i];
            extreme = Math.Abs(x) > Math.Abs(extreme) ? x : extreme;
        }
        return extreme;
    }

    public static float Inverse(uint scale)
    {
        bool zero = (scale & 0x7fffu) == 0u;
        float inverse = 1f / (zero ? 1f : Numerics.HalfToFloat(scale));
        return zero ? 0f : inverse;
    }

    /// <summary>A quantised plane is written by pairs only.</summary>
    public static void Unused(ArrayView<UInt4> plane) => _ = plane.Length;
}
