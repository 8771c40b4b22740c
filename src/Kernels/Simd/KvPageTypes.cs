using System.Runtime.CompilerServices;

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
