using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;

namespace Inference.Kernels;

/// <summary>What the portable tiles need beyond the calls of <see cref="Vector128"/>.</summary>
internal static unsafe class PortableParts
{
    /// <summary>sum + the products of four signed bytes in each 32-bit lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Dot(Vector128<int> sum, Vector128<sbyte> a, Vector128<sbyte> b)
    {
        if (Dp.IsSupported) return Dp.DotProduct(sum, a, b); // Arm sdot does just this
        Vector128<int> x = a.AsInt32(), y = b.AsInt32();
        sum += Vector128.ShiftRightArithmetic(Vector128.ShiftLeft(x, 24), 24) * Vector128.ShiftRightArithmetic(Vector128.ShiftLeft(y, 24), 24);
        sum += Vector128.ShiftRightArithmetic(Vector128.ShiftLeft(x, 16), 24) * Vector128.ShiftRightArithmetic(Vector128.ShiftLeft(y, 16), 24);
        sum += Vector128.ShiftRightArithmetic(Vector128.ShiftLeft(x, 8), 24) * Vector128.ShiftRightArithmetic(Vector128.ShiftLeft(y, 8), 24);
        return sum + Vector128.ShiftRightArithmetic(x, 24) * Vector128.ShiftRightArithmetic(y, 24);
    }

    /// <summary>Both halves of a correction, times a factor, in every lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> Start(int correction, int factor) => Vector128.Create(((short)correction + (correction >> 16)) * factor);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> WidenBytes(byte* four) =>
        Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<uint>(four)).AsByte())).AsInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> WidenBytes(sbyte* four) =>
        Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<uint>(four)).AsSByte()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<int> WidenShorts(short* four) =>
        Vector128.WidenLower(Vector128.CreateScalarUnsafe(Unsafe.ReadUnaligned<ulong>(four)).AsInt16());
}
