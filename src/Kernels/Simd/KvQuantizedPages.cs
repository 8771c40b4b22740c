using System.Runtime.CompilerServices;

namespace Inference.Kernels;

/// <summary>Integers of a quantised plane, in blocks of 32. A block of V is a run of bytes; one of K has 16 tokens beside each other for each of those bytes.</summary>
internal unsafe interface IQuantElement
{
    /// <summary>Bytes of a block.</summary>
    static abstract int BlockBytes { get; }

    /// <summary>Byte of a block that holds element i, 0 to 31; neighbours lie side by side up to a multiple of 16.</summary>
    static abstract int Offset(int i);

    /// <summary>The integers of neighbouring bytes, of which the first holds element i.</summary>
    static abstract V Load<V, TLanes>(byte* from, int i) where V : struct where TLanes : struct, ILanes<V>;

    /// <summary>Rounds a block and writes its bytes, <paramref name="step"/> apart.</summary>
    /// <returns>float16 bits of its scale.</returns>
    static abstract ushort Store(ReadOnlySpan<float> block, byte* to, int step);
}

/// <summary>Q8_0: a byte to an element.</summary>
internal readonly unsafe struct ByteElement : IQuantElement
{
    public static int BlockBytes => KvBlock.Dims;

    public static int Offset(int i) => i;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V, TLanes>(byte* from, int i) where V : struct where TLanes : struct, ILanes<V> => TLanes.LoadBytes((sbyte*)from);

    public static ushort Store(ReadOnlySpan<float> block, byte* to, int step)
    {
        Span<sbyte> quants = stackalloc sbyte[KvBlock.Dims];
        ushort scale = KvBlock.Quantize8(block, quants);
        for (int i = 0; i < KvBlock.Dims; i++) to[i * step] = (byte)quants[i];
        return scale;
    }
}

/// <summary>Q4_0: a byte holds integer + 8 of elements i (low) and i + 16 (high), so that no two tokens share one.</summary>
internal readonly unsafe struct NibbleElement : IQuantElement
{
    public static int BlockBytes => KvBlock.Dims / 2;

    public static int Offset(int i) => i & 15;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V, TLanes>(byte* from, int i) where V : struct where TLanes : struct, ILanes<V> => TLanes.LoadNibbles(from, (i & 16) >> 2);

    public static ushort Store(ReadOnlySpan<float> block, byte* to, int step)
    {
        Span<sbyte> quants = stackalloc sbyte[KvBlock.Dims];
        ushort scale = KvBlock.Quantize4(block, quants);
        for (int i = 0; i < 16; i++) to[i * step] = (byte)(quants[i] + 8 | quants[i + 16] + 8 << 4);
        return scale;
    }
}

/// <summary>
/// Planes of quantised types, float16 scales first: K scales [dims / 32][16], blocks [dims / 32] of bytes of 16 tokens each;
/// V scales [16][dims / 32], blocks [16][dims / 32].
/// </summary>
internal readonly unsafe struct QuantizedPage<TElement> : IPageType where TElement : struct, IQuantElement
{
    private const int Tokens = TiledPages.TileTokens, Block = KvBlock.Dims;

    public static float Unfold => 1;
    public static bool Widens => true;

    /// <summary>Bytes of the scales of 16 tokens.</summary>
    public static int ScaleBytes(int dims) => dims / Block * Tokens * sizeof(ushort);

    /// <summary>A float16 scale; the page holds finite ones.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Scale<V, TLanes>(ushort* from) where V : struct where TLanes : struct, ILanes<V> =>
        TLanes.Broadcast(BitConverter.Int32BitsToSingle((short)*from << 13 & unchecked((int)0x8fffe000)) * HalfElement.Unfold);

    /// <summary>Scales of neighbouring tokens.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Scales<V, TLanes>(ushort* from) where V : struct where TLanes : struct, ILanes<V> => TLanes.Multiply(TLanes.LoadHalf(from), TLanes.Broadcast(HalfElement.Unfold));

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WidenKeys<V, TLanes>(byte* tile, int dims, float* to) where V : struct where TLanes : struct, ILanes<V>
    {
        byte* block = tile + ScaleBytes(dims);
        for (int d = 0; d < dims; d += Block, tile += Tokens * sizeof(ushort), block += TElement.BlockBytes * Tokens, to += Block * Tokens)
            for (int lane = 0; lane < Tokens; lane += TLanes.Width)
            {
                V scale = Scales<V, TLanes>((ushort*)tile + lane);
                for (int i = 0; i < Block; i++)
                    TLanes.Store(TLanes.Multiply(TElement.Load<V, TLanes>(block + TElement.Offset(i) * Tokens + lane, i), scale), to + i * Tokens + lane);
            }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void WidenValues<V, TLanes>(byte* tile, int dims, float* to) where V : struct where TLanes : struct, ILanes<V>
    {
        var scales = (ushort*)tile;
        byte* block = tile + ScaleBytes(dims);
        for (ushort* end = scales + dims / Block * Tokens; scales < end; scales++, block += TElement.BlockBytes, to += Block)
        {
            V scale = Scale<V, TLanes>(scales);
            for (int i = 0; i < Block; i += TLanes.Width) TLanes.Store(TLanes.Multiply(TElement.Load<V, TLanes>(block + TElement.Offset(i), i), scale), to + i);
        }
    }

    /// <summary>Writes one token's key into its column of the tile.</summary>
    public static void WriteKey(ReadOnlySpan<float> key, byte* tile, int column)
    {
        byte* quants = tile + ScaleBytes(key.Length) + column;
        for (int b = 0; b * Block < key.Length; b++)
            ((ushort*)tile)[b * Tokens + column] = TElement.Store(key.Slice(b * Block, Block), quants + b * TElement.BlockBytes * Tokens, Tokens);
    }

    /// <summary>Writes one token's value into its row of the tile.</summary>
    public static void WriteValue(ReadOnlySpan<float> value, byte* tile, int row)
    {
        int blocks = value.Length / Block;
        byte* quants = tile + ScaleBytes(value.Length);
        for (int i = row * blocks; i < (row + 1) * blocks; i++)
            ((ushort*)tile)[i] = TElement.Store(value.Slice((i - row * blocks) * Block, Block), quants + i * TElement.BlockBytes, 1);
    }
}
