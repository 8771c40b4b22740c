using System.Runtime.CompilerServices;

namespace Inference.Kernels;

/// <summary>float32 in the pages.</summary>
internal readonly unsafe struct SingleElement : IElement
{
    public static int Bytes => sizeof(float);
    public static float Unfold => 1;
    public static bool Streams => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V, TLanes>(byte* from) where V : struct where TLanes : struct, ILanes<V> => TLanes.Load((float*)from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<V, TLanes>(V value, byte* to) where V : struct where TLanes : struct, ILanes<V> => TLanes.Store(value, (float*)to);
}

/// <summary>float16 in the pages.</summary>
internal readonly unsafe struct HalfElement : IElement
{
    public static int Bytes => sizeof(ushort);

    /// <summary>2^112: the exponent biases differ by 127 - 15.</summary>
    public static float Unfold => 5.192296858534828e33f;
    public static bool Streams => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V, TLanes>(byte* from) where V : struct where TLanes : struct, ILanes<V> => TLanes.LoadHalf((ushort*)from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<V, TLanes>(V value, byte* to) where V : struct where TLanes : struct, ILanes<V> => TLanes.StoreHalf(value, (ushort*)to);
}

/// <summary>bfloat16 in the pages.</summary>
internal readonly unsafe struct BrainElement : IElement
{
    public static int Bytes => sizeof(ushort);
    public static float Unfold => 1;
    public static bool Streams => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V, TLanes>(byte* from) where V : struct where TLanes : struct, ILanes<V> => TLanes.LoadBrain((ushort*)from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<V, TLanes>(V value, byte* to) where V : struct where TLanes : struct, ILanes<V> => TLanes.StoreBrain(value, (ushort*)to);
}

/// <summary>A tile as float32 in the first-level cache, with the factor of the type it was loaded from still in the other operand.</summary>
internal readonly unsafe struct CachedElement : IElement
{
    public static int Bytes => sizeof(float);
    public static float Unfold => 1;
    public static bool Streams => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Load<V, TLanes>(byte* from) where V : struct where TLanes : struct, ILanes<V> => TLanes.Load((float*)from);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store<V, TLanes>(V value, byte* to) where V : struct where TLanes : struct, ILanes<V> => TLanes.Store(value, (float*)to);
}
