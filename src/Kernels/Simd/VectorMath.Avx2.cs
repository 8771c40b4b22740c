using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Inference.Kernels;

/// <summary>Vectors of 8 with AVX2 and FMA.</summary>
internal readonly unsafe struct Avx2Lanes : ILanes<Vector256<float>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Width => 8;
    public static int TileColumns => 2;

    [MethodImpl(Inline)] public static Vector256<float> Load(float* from) => Vector256.Load(from);
    [MethodImpl(Inline)] public static void Store(Vector256<float> value, float* to) => value.Store(to);
    [MethodImpl(Inline)] public static Vector256<float> Broadcast(float value) => Vector256.Create(value);
    [MethodImpl(Inline)] public static Vector256<float> Add(Vector256<float> a, Vector256<float> b) => a + b;
    [MethodImpl(Inline)] public static Vector256<float> Subtract(Vector256<float> a, Vector256<float> b) => a - b;
    [MethodImpl(Inline)] public static Vector256<float> Multiply(Vector256<float> a, Vector256<float> b) => a * b;
    [MethodImpl(Inline)] public static Vector256<float> Divide(Vector256<float> a, Vector256<float> b) => a / b;
    [MethodImpl(Inline)] public static Vector256<float> MultiplyAdd(Vector256<float> a, Vector256<float> b, Vector256<float> c) => Fma.MultiplyAdd(a, b, c);
    [MethodImpl(Inline)] public static Vector256<float> Min(Vector256<float> a, Vector256<float> b) => Vector256.MinNative(a, b);

    [MethodImpl(Inline)]
    public static Vector256<float> SelectBelow(Vector256<float> x, Vector256<float> limit, Vector256<float> a, Vector256<float> b) =>
        Vector256.ConditionalSelect(Vector256.LessThan(x, limit), a, b);

    [MethodImpl(Inline)] public static bool AnyGreater(Vector256<float> a, Vector256<float> b) => Vector256.GreaterThanAny(a, b);
    [MethodImpl(Inline)] public static float Sum(Vector256<float> value) => Vector256.Sum(value);
    [MethodImpl(Inline)] public static Vector256<float> Max(Vector256<float> a, Vector256<float> b) => Vector256.MaxNative(a, b);
    [MethodImpl(Inline)] public static float Largest(Vector256<float> value) => PortableLanes.Largest(Vector128.MaxNative(value.GetLower(), value.GetUpper()));
    [MethodImpl(Inline)] public static float First(Vector256<float> value) => value.ToScalar();
    [MethodImpl(Inline)] public static Vector256<float> SwapPairs(Vector256<float> value) => Avx.Permute(value, 0b10_11_00_01);

    [MethodImpl(Inline)]
    public static Vector256<float> PowerOfTwo(Vector256<float> shifted) => ((shifted.AsInt32() << 23) + Vector256.Create(0x3f800000)).AsSingle();

    [MethodImpl(Inline)]
    public static Vector256<float> LoadHalf(ushort* from)
    {
        Vector256<int> wide = Avx2.ConvertToVector256Int32((short*)from);
        // The sign came along in the upper bits; the mask drops its copies between sign and exponent.
        return ((wide << 13) & Vector256.Create(unchecked((int)0x8fffe000))).AsSingle();
    }

    [MethodImpl(Inline)]
    public static void StoreHalf(Vector256<float> value, ushort* to)
    {
        Vector256<uint> bits = value.AsUInt32(), magnitude = bits & Vector256.Create(0x7fffffffu);
        Vector256<uint> nan = Vector256.GreaterThan(magnitude, Vector256.Create(0x7f800000u)) & Vector256.Create(0x200u);
        magnitude = Vector256.Min(magnitude, Vector256.Create(0x47800000u)); // 65536 already rounds to infinity
        // Normal: exponent rebased by -112, half of the last place less one added, and one more where the last bit kept is odd.
        Vector256<uint> normal = (magnitude + Vector256.Create(0xc8000fffu) + ((magnitude >>> 13) & Vector256.Create(1u))) >>> 13;
        // Subnormal: adding 0.5 lets the adder round to multiples of 2^-24.
        Vector256<uint> subnormal = (magnitude.AsSingle() + Vector256.Create(0.5f)).AsUInt32() - Vector256.Create(0x3f000000u);
        Vector256<uint> small = Vector256.LessThan(magnitude, Vector256.Create(0x38800000u));
        Vector256<uint> half = Vector256.ConditionalSelect(small, subnormal, normal) | nan | ((bits >>> 16) & Vector256.Create(0x8000u));
        Vector128.Narrow(half.GetLower(), half.GetUpper()).Store(to);
    }

    [MethodImpl(Inline)]
    public static Vector256<float> LoadBrain(ushort* from) => (Avx2.ConvertToVector256Int32((short*)from) << 16).AsSingle();

    [MethodImpl(Inline)]
    public static void StoreBrain(Vector256<float> value, ushort* to)
    {
        Vector256<uint> bits = value.AsUInt32(), rounded = bits + Vector256.Create(0x7fffu) + ((bits >>> 16) & Vector256.Create(1u));
        Vector256<uint> nan = Vector256.GreaterThan(bits & Vector256.Create(0x7fffffffu), Vector256.Create(0x7f800000u));
        Vector256<uint> brain = Vector256.ConditionalSelect(nan, bits | Vector256.Create(0x400000u), rounded) >>> 16;
        Vector128.Narrow(brain.GetLower(), brain.GetUpper()).Store(to);
    }

    [MethodImpl(Inline)]
    public static Vector256<float> LoadBytes(sbyte* from) => Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(from));

    [MethodImpl(Inline)]
    public static Vector256<float> LoadNibbles(byte* from, int shift) =>
        Avx.ConvertToVector256Single(((Avx2.ConvertToVector256Int32(from) >>> shift) & Vector256.Create(15)) - Vector256.Create(8));
}
