using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Inference.Kernels;

/// <summary>float16 numbers times <see cref="TileConstants.StoredFactor"/> (2^10), as float16: exact below 64, and no number is subnormal any more.</summary>
internal static unsafe class StoredHalves
{
    private const ushort Exponent = 0x7c00, Mantissa = 0x03ff, Sign = 0x8000, One = 0x0400, Factor = 10 * One;

    /// <summary>Numbers with this exponent or more do not fit; NaN and infinity are among them.</summary>
    private const ushort TooLarge = 21 * One;

    /// <summary>All bits of the lanes whose numbers do not fit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ushort> Excess(Vector128<ushort> halves) =>
        Vector128.GreaterThan((halves & Vector128.Create(Exponent)).AsInt16(), Vector128.Create((short)(TooLarge - One))).AsUInt16();

    /// <summary>Multiplies eight numbers that fit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ushort> Store(Vector128<ushort> halves)
    {
        // One of some four hundred weights is subnormal, too many for a branch. As a float32, its mantissa has the exponent that it lacks.
        Vector128<ushort> mantissa = halves & Vector128.Create(Mantissa), small = Vector128.Equals(halves & Vector128.Create(Exponent), default);
        (Vector128<uint> low, Vector128<uint> high) = Vector128.Widen(mantissa);
        Vector128<ushort> normal = Vector128.AndNot(Vector128.Narrow(Normal(low), Normal(high)), Vector128.Equals(mantissa, default)) | halves & Vector128.Create(Sign);
        return Vector128.ConditionalSelect(small, normal, halves + Vector128.Create(Factor));
    }

    /// <summary>Mantissas m of 2^-24 m as float16 of 2^-14 m: a float32's exponent less 126.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Normal(Vector128<uint> mantissa) =>
        (Vector128.ConvertToSingle(mantissa.AsInt32()).AsUInt32() >> 13) - Vector128.Create(126u << 10);

    /// <summary>Stores the number at byte <paramref name="offset"/> of each of 16 rows; false when one does not fit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static bool TryStore(byte** rows, nint offset, byte* to)
    {
        ushort* halves = (ushort*)to;
        Gather(rows, offset, halves);
        Vector128<ushort> low = Vector128.Load(halves), high = Vector128.Load(halves + 8);
        Store(low).Store(halves);
        Store(high).Store(halves + 8);
        return (Excess(low) | Excess(high)) == default;
    }

    /// <summary>The numbers at byte <paramref name="offset"/> of 16 rows as float32, times <paramref name="factor"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ToSingle(byte** rows, nint offset, float* to, float factor = 1)
    {
        for (int r = 0; r < 16; r++) to[r] = Half16.ToSingle(*(ushort*)(rows[r] + offset)) * factor;
    }

    private static void Gather(byte** rows, nint offset, ushort* to)
    {
        for (int r = 0; r < 16; r++) to[r] = *(ushort*)(rows[r] + offset);
    }
}
