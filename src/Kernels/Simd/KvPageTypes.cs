using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Inference.Kernels;

/// <summary>How a plane of a tile becomes float32. Products of scale and integer are exact, so it does not matter when a tile is widened.</summary>
internal unsafe interface IPageType
{
    /// <summary>Factor that the other operand of a product carries for widened elements.</summary>
    static abstract float Unfold { get; }

    /// <summary>Whether a tile has to be widened: false for float32.</summary>
    static abstract bool Widens { get; }

    /// <param name="tile">A K plane of 16 tokens.</param>
    /// <param name="dims">Dims of a key.</param>
    /// <param name="to">[dims][16]</param>
    static abstract void WidenKeys<V, TLanes>(byte* tile, int dims, float* to) where V : struct where TLanes : struct, ILanes<V>;

    /// <param name="tile">A V plane of 16 tokens.</param>
    /// <param name="dims">Dims of a value.</param>
    /// <param name="to">[16][dims]</param>
    static abstract void WidenValues<V, TLanes>(byte* tile, int dims, float* to) where V : struct where TLanes : struct, ILanes<V>;
}

/// <summary>Elements without scales: K [dims][16], V [16][dims].</summary>
internal readonly unsafe struct FloatPage<TElement> : IPageType where TElement : struct, IElement
{
    public static float Unfold => TElement.Unfold;
    public static bool Widens => TElement.Bytes != sizeof(float);

    public static void WidenKeys<V, TLanes>(byte* tile, int dims, float* to) where V : struct where TLanes : struct, ILanes<V> => Widen<V, TLanes>(tile, dims, to);

    public static void WidenValues<V, TLanes>(byte* tile, int dims, float* to) where V : struct where TLanes : struct, ILanes<V> => Widen<V, TLanes>(tile, dims, to);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Widen<V, TLanes>(byte* tile, int dims, float* to) where V : struct where TLanes : struct, ILanes<V>
    {
        for (int i = 0; i < dims * TiledPages.TileTokens; i += TLanes.Width) TLanes.Store(TElement.Load<V, TLanes>(tile + i * TElement.Bytes), to + i);
    }
}

/// <summary>Q8_0: K scales [dims / 32][16], integers [dims][16]; V scales [16][dims / 32], integers [16][dims].</summary>
internal readonly unsafe struct BytePage : IPageType
{
    private const int Tokens = TiledPages.TileTokens, Block = KvBlock.Dims;

    public static float Unfold => 1;
    public static bool Widens => true;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WidenKeys<V, TLanes>(byte* tile, int dims, float* to) where V : struct where TLanes : struct, ILanes<V>
    {
        float* scales = stackalloc float[Tokens];
        sbyte* quants = (sbyte*)tile + PageScales.Bytes(dims);
        for (int d = 0; d < dims; d += Block, tile += Tokens * sizeof(ushort))
        {
            PageScales.Load<V, TLanes>((ushort*)tile, scales);
            for (int i = 0; i < Block; i++, quants += Tokens, to += Tokens) TLanes.Widen(Vector128.Load(quants), scales, to);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WidenValues<V, TLanes>(byte* tile, int dims, float* to) where V : struct where TLanes : struct, ILanes<V>
    {
        float* scales = stackalloc float[2 * Tokens], scale = scales + Tokens;
        sbyte* quants = (sbyte*)tile + PageScales.Bytes(dims);
        for (int blocks = dims / Block; blocks > 0; blocks--, tile += Tokens * sizeof(ushort))
        {
            PageScales.Load<V, TLanes>((ushort*)tile, scales);
            for (int i = 0; i < Tokens; i++, quants += Block, to += Block)
            {
                PageScales.Spread<V, TLanes>(scales[i], scale);
                TLanes.Widen(Vector128.Load(quants), scale, to);
                TLanes.Widen(Vector128.Load(quants + Tokens), scale, to + Tokens);
            }
        }
    }

    /// <summary>Writes one token's key into its column of the tile.</summary>
    public static void WriteKey(ReadOnlySpan<float> key, byte* tile, int column)
    {
        Span<sbyte> quants = stackalloc sbyte[Block];
        byte* to = tile + PageScales.Bytes(key.Length) + column;
        for (int d = 0; d < key.Length; d += Block)
        {
            ((ushort*)tile)[d / Block * Tokens + column] = KvBlock.Quantize8(key[d..], quants);
            for (int i = 0; i < Block; i++, to += Tokens) *to = (byte)quants[i];
        }
    }

    /// <summary>Writes one token's value into its row of the tile.</summary>
    public static void WriteValue(ReadOnlySpan<float> value, byte* tile, int row)
    {
        int blocks = value.Length / Block;
        byte* to = tile + PageScales.Bytes(value.Length) + row * value.Length;
        for (int b = 0; b < blocks; b++) ((ushort*)tile)[row * blocks + b] = KvBlock.Quantize8(value[(b * Block)..], new Span<sbyte>(to + b * Block, Block));
    }
}

/// <summary>
/// Q4_0: scales as <see cref="BytePage"/>; a byte holds integer + 8 of dims i (low) and i + 16 (high) of a block of 32, so that no two tokens share one:
/// K [dims / 32][i][16], V [16][dims / 32][i].
/// </summary>
internal readonly unsafe struct NibblePage : IPageType
{
    private const int Tokens = TiledPages.TileTokens, Block = KvBlock.Dims, Half = Block / 2;

    public static float Unfold => 1;
    public static bool Widens => true;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WidenKeys<V, TLanes>(byte* tile, int dims, float* to) where V : struct where TLanes : struct, ILanes<V>
    {
        float* scales = stackalloc float[Tokens];
        byte* quants = tile + PageScales.Bytes(dims);
        for (int d = 0; d < dims; d += Block, tile += Tokens * sizeof(ushort), to += Half * Tokens)
        {
            PageScales.Load<V, TLanes>((ushort*)tile, scales);
            for (int i = 0; i < Half; i++, quants += Tokens, to += Tokens)
            {
                Vector128<byte> pairs = Vector128.Load(quants);
                TLanes.Widen(Low(pairs), scales, to);
                TLanes.Widen(High(pairs), scales, to + Half * Tokens);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WidenValues<V, TLanes>(byte* tile, int dims, float* to) where V : struct where TLanes : struct, ILanes<V>
    {
        float* scales = stackalloc float[2 * Tokens], scale = scales + Tokens;
        byte* quants = tile + PageScales.Bytes(dims);
        for (int blocks = dims / Block; blocks > 0; blocks--, tile += Tokens * sizeof(ushort))
        {
            PageScales.Load<V, TLanes>((ushort*)tile, scales);
            for (int i = 0; i < Tokens; i++, quants += Half, to += Block)
            {
                Vector128<byte> pairs = Vector128.Load(quants);
                PageScales.Spread<V, TLanes>(scales[i], scale);
                TLanes.Widen(Low(pairs), scale, to);
                TLanes.Widen(High(pairs), scale, to + Half);
            }
        }
    }

    /// <inheritdoc cref="BytePage.WriteKey"/>
    public static void WriteKey(ReadOnlySpan<float> key, byte* tile, int column)
    {
        Span<sbyte> quants = stackalloc sbyte[Block];
        byte* to = tile + PageScales.Bytes(key.Length) + column;
        for (int d = 0; d < key.Length; d += Block)
        {
            ((ushort*)tile)[d / Block * Tokens + column] = KvBlock.Quantize4(key[d..], quants);
            for (int i = 0; i < Half; i++, to += Tokens) *to = Pair(quants, i);
        }
    }

    /// <inheritdoc cref="BytePage.WriteValue"/>
    public static void WriteValue(ReadOnlySpan<float> value, byte* tile, int row)
    {
        Span<sbyte> quants = stackalloc sbyte[Block];
        int blocks = value.Length / Block;
        byte* to = tile + PageScales.Bytes(value.Length) + row * (value.Length / 2);
        for (int b = 0; b < blocks; b++)
        {
            ((ushort*)tile)[row * blocks + b] = KvBlock.Quantize4(value[(b * Block)..], quants);
            for (int i = 0; i < Half; i++, to++) *to = Pair(quants, i);
        }
    }

    private static byte Pair(ReadOnlySpan<sbyte> quants, int i) => (byte)(quants[i] + 8 | quants[i + Half] + 8 << 4);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> Low(Vector128<byte> pairs) => (pairs & Vector128.Create((byte)15)).AsSByte() - Vector128.Create((sbyte)8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> High(Vector128<byte> pairs) => Low((pairs.AsUInt16() >>> 4).AsByte());
}

/// <summary>Scales of a quantised plane: float16, first in the tile.</summary>
internal static unsafe class PageScales
{
    /// <summary>Bytes of the scales of 16 tokens.</summary>
    public static int Bytes(int dims) => dims / KvBlock.Dims * TiledPages.TileTokens * sizeof(ushort);

    /// <summary>16 scales as float32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Load<V, TLanes>(ushort* from, float* to) where V : struct where TLanes : struct, ILanes<V>
    {
        for (int i = 0; i < TiledPages.TileTokens; i += TLanes.Width) TLanes.Store(TLanes.Multiply(TLanes.LoadHalf(from + i), TLanes.Broadcast(HalfElement.Unfold)), to + i);
    }

    /// <summary>One scale, 16 times.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Spread<V, TLanes>(float scale, float* to) where V : struct where TLanes : struct, ILanes<V>
    {
        for (int i = 0; i < TiledPages.TileTokens; i += TLanes.Width) TLanes.Store(TLanes.Broadcast(scale), to + i);
    }
}
