using System.Runtime.CompilerServices;

namespace Inference.Kernels;

/// <summary>Functions of vectors, the same bits for a value whatever its lane.</summary>
internal static class VectorMath
{
    /// <summary>
    /// exp(x) for x up to 88, within 2e-7 relative; exactly 0 below -87, so -infinity masks a lane; NaN stays NaN.
    /// x = n ln 2 + f with |f| &lt;= ln 2 / 2, and exp(f) by the minimax polynomial of Cephes' expf.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp<V, TLanes>(V x) where V : struct where TLanes : struct, ILanes<V>
    {
        V shift = TLanes.Broadcast(12582912f); // 1.5 * 2^23: the sum's last mantissa bit is worth 1, so adding rounds to an integer
        V shifted = TLanes.MultiplyAdd(x, TLanes.Broadcast(1.44269504f), shift);
        V n = TLanes.Subtract(shifted, shift);
        // ln 2 in two parts, the first with few bits, so that n times it is exact.
        V f = TLanes.MultiplyAdd(n, TLanes.Broadcast(2.12194440e-4f), TLanes.MultiplyAdd(n, TLanes.Broadcast(-0.693359375f), x));
        V p = TLanes.MultiplyAdd(f, TLanes.Broadcast(1.9875691500e-4f), TLanes.Broadcast(1.3981999507e-3f));
        p = TLanes.MultiplyAdd(p, f, TLanes.Broadcast(8.3334519073e-3f));
        p = TLanes.MultiplyAdd(p, f, TLanes.Broadcast(4.1665795894e-2f));
        p = TLanes.MultiplyAdd(p, f, TLanes.Broadcast(1.6666665459e-1f));
        p = TLanes.MultiplyAdd(p, f, TLanes.Broadcast(0.5f));
        p = TLanes.MultiplyAdd(p, TLanes.Multiply(f, f), TLanes.Add(f, TLanes.Broadcast(1f)));
        V result = TLanes.Multiply(p, TLanes.PowerOfTwo(shifted));
        return TLanes.SelectBelow(x, TLanes.Broadcast(-87f), TLanes.Broadcast(0f), result);
    }

    /// <summary>exp(x) of one number by the same code.</summary>
    public static float Exp<V, TLanes>(float x) where V : struct where TLanes : struct, ILanes<V> =>
        TLanes.First(Exp<V, TLanes>(TLanes.Broadcast(x)));
}
