using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Inference.Kernels;

/// <summary>
/// Brings what lies in rows side by side, as panels want it. Vectors of 128 bits everywhere: four loads, eight unpacks and four stores move 64 bytes, so
/// memory is the limit, and one code serves all processors. Loops here and in layouts are optimised at once: where .NET compiles in tiers,
/// loading would be over before the second.
/// </summary>
internal static unsafe class RowTransposition
{
    /// <summary>Writes <paramref name="count"/> dwords (a multiple of 4) of each of 16 rows, from byte <paramref name="offset"/> of a row on, as [dword][16 rows].</summary>
    /// <param name="rows">16 pointers.</param>
    /// <param name="offset">Where in a row.</param>
    /// <param name="count">Dwords of a row.</param>
    /// <param name="to">Room for count x 64 bytes.</param>
    /// <param name="flip">Bits to invert in each dword.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Dwords(byte** rows, nint offset, int count, byte* to, uint flip = 0)
    {
        Vector128<uint> mask = Vector128.Create(flip);
        for (int i = 0; i < count; i += 4, offset += 16, to += 256)
            for (int r = 0; r < 16; r += 4)
                Store(Load(rows[r] + offset) ^ mask, Load(rows[r + 1] + offset) ^ mask, Load(rows[r + 2] + offset) ^ mask, Load(rows[r + 3] + offset) ^ mask, to + 4 * r, 64);
    }

    /// <summary>Writes the four bytes of one dword of 16 rows as [byte][16 rows].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Bytes(uint* dwords, byte* to)
    {
        Store(Sort(dwords), Sort(dwords + 4), Sort(dwords + 8), Sort(dwords + 12), to, 16);

        static Vector128<uint> Sort(uint* four) =>
            Vector128.Shuffle(Vector128.Load((byte*)four), Vector128.Create((byte)0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)).AsUInt32();
    }

    /// <summary>Stores four vectors of four dwords transposed, each <paramref name="stride"/> bytes after the one before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128<uint> a, Vector128<uint> b, Vector128<uint> c, Vector128<uint> d, byte* to, nint stride)
    {
        Vector128<ulong> ab = Low(a, b).AsUInt64(), cd = Low(c, d).AsUInt64();
        Low(ab, cd).Store((ulong*)to);
        High(ab, cd).Store((ulong*)(to + stride));
        (ab, cd) = (High(a, b).AsUInt64(), High(c, d).AsUInt64());
        Low(ab, cd).Store((ulong*)(to + 2 * stride));
        High(ab, cd).Store((ulong*)(to + 3 * stride));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<uint> Load(byte* from) => Vector128.Load((uint*)from);

    /// <summary>The first elements of both, alternating.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ushort> Low(Vector128<ushort> a, Vector128<ushort> b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b) : Vector128.Create(a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3]);

    /// <summary>The last elements of both, alternating.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<ushort> High(Vector128<ushort> a, Vector128<ushort> b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b) : Vector128.Create(a[4], b[4], a[5], b[5], a[6], b[6], a[7], b[7]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Low(Vector128<uint> a, Vector128<uint> b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b) : Vector128.Create(a[0], b[0], a[1], b[1]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> High(Vector128<uint> a, Vector128<uint> b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b) : Vector128.Create(a[2], b[2], a[3], b[3]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> Low(Vector128<ulong> a, Vector128<ulong> b) =>
        Sse2.IsSupported ? Sse2.UnpackLow(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(a, b) : Vector128.Create(a[0], b[0]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<ulong> High(Vector128<ulong> a, Vector128<ulong> b) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(a, b) : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(a, b) : Vector128.Create(a[1], b[1]);
}
