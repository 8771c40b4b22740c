using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Inference.Kernels;

/// <summary>Vectors of 16 with AVX-512.</summary>
internal readonly unsafe struct Avx512Lanes : ILanes<Vector512<float>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Width => 16;
    public static int TileColumns => 4;

    [MethodImpl(Inline)] public static Vector512<float> Load(float* from) => Vector512.Load(from);
    [MethodImpl(Inline)] public static void Store(Vector512<float> value, float* to) => value.Store(to);
    [MethodImpl(Inline)] public static Vector512<float> Broadcast(float value) => Vector512.Create(value);
    [MethodImpl(Inline)] public static Vector512<float> Add(Vector512<float> a, Vector512<float> b) => a + b;
    [MethodImpl(Inline)] public static Vector512<float> Subtract(Vector512<float> a, Vector512<float> b) => a - b;
    [MethodImpl(Inline)] public static Vector512<float> Multiply(Vector512<float> a, Vector512<float> b) => a * b;
    [MethodImpl(Inline)] public static Vector512<float> Divide(Vector512<float> a, Vector512<float> b) => a / b;
    [MethodImpl(Inline)] public static Vector512<float> MultiplyAdd(Vector512<float> a, Vector512<float> b, Vector512<float> c) => Avx512F.FusedMultiplyAdd(a, b, c);
    [MethodImpl(Inline)] public static Vector512<float> Min(Vector512<float> a, Vector512<float> b) => Vector512.MinNative(a, b);

    [MethodImpl(Inline)]
    public static Vector512<float> SelectBelow(Vector512<float> x, Vector512<float> limit, Vector512<float> a, Vector512<float> b) =>
        Vector512.ConditionalSelect(Vector512.LessThan(x, limit), a, b);

    [MethodImpl(Inline)] public static bool AnyGreater(Vector512<float> a, Vector512<float> b) => Vector512.GreaterThanAny(a, b);
    [MethodImpl(Inline)] public static float Sum(Vector512<float> value) => Vector512.Sum(value);
    [MethodImpl(Inline)] public static Vector512<float> Max(Vector512<float> a, Vector512<float> b) => Vector512.MaxNative(a, b);
    [MethodImpl(Inline)] public static float Largest(Vector512<float> value) => Avx2Lanes.Largest(Vector256.MaxNative(value.GetLower(), value.GetUpper()));
    [MethodImpl(Inline)] public static float First(Vector512<float> value) => value.ToScalar();
    [MethodImpl(Inline)] public static Vector512<float> SwapPairs(Vector512<float> value) => Avx512F.Permute4x32(value, 0b10_11_00_01);

    [MethodImpl(Inline)]
    public static Vector512<float> PowerOfTwo(Vector512<float> shifted) => ((shifted.AsInt32() << 23) + Vector512.Create(0x3f800000)).AsSingle();

    [MethodImpl(Inline)]
    public static Vector512<float> LoadHalf(ushort* from)
    {
        Vector512<int> wide = Avx512F.ConvertToVector512Int32(Vector256.Load((short*)from));
        // The sign came along in the upper bits; the mask drops its copies between sign and exponent.
        return ((wide << 13) & Vector512.Create(unchecked((int)0x8fffe000))).AsSingle();
    }

    [MethodImpl(Inline)]
    public static void StoreHalf(Vector512<float> value, ushort* to)
    {
        Vector512<uint> bits = value.AsUInt32(), magnitude = bits & Vector512.Create(0x7fffffffu);
        Vector512<uint> nan = Vector512.GreaterThan(magnitude, Vector512.Create(0x7f800000u)) & Vector512.Create(0x200u);
        magnitude = Vector512.Min(magnitude, Vector512.Create(0x47800000u)); // 65536 already rounds to infinity
        // Normal: exponent rebased by -112, half of the last place less one added, and one more where the last bit kept is odd.
        Vector512<uint> normal = (magnitude + Vector512.Create(0xc8000fffu) + ((magnitude >>> 13) & Vector512.Create(1u))) >>> 13;
        // Subnormal: adding 0.5 lets the adder round to multiples of 2^-24.
        Vector512<uint> subnormal = (magnitude.AsSingle() + Vector512.Create(0.5f)).AsUInt32() - Vector512.Create(0x3f000000u);
        Vector512<uint> small = Vector512.LessThan(magnitude, Vector512.Create(0x38800000u));
        Vector512<uint> half = Vector512.ConditionalSelect(small, subnormal, normal) | nan | ((bits >>> 16) & Vector512.Create(0x8000u));
        Avx512F.ConvertToVector256UInt16(half).Store(to);
    }

    [MethodImpl(Inline)]
    public static Vector512<float> LoadBrain(ushort* from) => (Avx512F.ConvertToVector512Int32(Vector256.Load((short*)from)) << 16).AsSingle();

    [MethodImpl(Inline)]
    public static void StoreBrain(Vector512<float> value, ushort* to)
    {
        Vector512<uint> bits = value.AsUInt32(), rounded = bits + Vector512.Create(0x7fffu) + ((bits >>> 16) & Vector512.Create(1u));
        Vector512<uint> nan = Vector512.GreaterThan(bits & Vector512.Create(0x7fffffffu), Vector512.Create(0x7f800000u));
        Vector512<uint> brain = Vector512.ConditionalSelect(nan, bits | Vector512.Create(0x400000u), rounded) >>> 16;
        Avx512F.ConvertToVector256UInt16(brain).Store(to);
    }

    [MethodImpl(Inline)]
    public static Vector512<float> LoadBytes(sbyte* from) => Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(from)));

    [MethodImpl(Inline)]
    public static Vector512<float> LoadNibbles(byte* from, int shift) =>
        Avx512F.ConvertToVector512Single(((Avx512F.ConvertToVector512Int32(Vector128.Load(from)) >>> shift) & Vector512.Create(15)) - Vector512.Create(8));
}
