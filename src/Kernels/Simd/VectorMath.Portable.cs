using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Inference.Kernels;

/// <summary>Vectors of 4 that .NET maps to what the processor has: SSE, AdvSimd on Arm64.</summary>
internal readonly unsafe struct PortableLanes : ILanes<Vector128<float>>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    public static int Width => 4;
    public static int TileColumns => 2;

    [MethodImpl(Inline)] public static Vector128<float> Load(float* from) => Vector128.Load(from);
    [MethodImpl(Inline)] public static void Store(Vector128<float> value, float* to) => value.Store(to);
    [MethodImpl(Inline)] public static Vector128<float> Broadcast(float value) => Vector128.Create(value);
    [MethodImpl(Inline)] public static Vector128<float> Add(Vector128<float> a, Vector128<float> b) => a + b;
    [MethodImpl(Inline)] public static Vector128<float> Subtract(Vector128<float> a, Vector128<float> b) => a - b;
    [MethodImpl(Inline)] public static Vector128<float> Multiply(Vector128<float> a, Vector128<float> b) => a * b;
    [MethodImpl(Inline)] public static Vector128<float> Divide(Vector128<float> a, Vector128<float> b) => a / b;
    [MethodImpl(Inline)] public static Vector128<float> MultiplyAdd(Vector128<float> a, Vector128<float> b, Vector128<float> c) => Vector128.MultiplyAddEstimate(a, b, c);
    [MethodImpl(Inline)] public static Vector128<float> Min(Vector128<float> a, Vector128<float> b) => Vector128.MinNative(a, b);

    [MethodImpl(Inline)]
    public static Vector128<float> SelectBelow(Vector128<float> x, Vector128<float> limit, Vector128<float> a, Vector128<float> b) =>
        Vector128.ConditionalSelect(Vector128.LessThan(x, limit), a, b);

    [MethodImpl(Inline)] public static bool AnyGreater(Vector128<float> a, Vector128<float> b) => Vector128.GreaterThanAny(a, b);
    [MethodImpl(Inline)] public static float Sum(Vector128<float> value) => Vector128.Sum(value);
    [MethodImpl(Inline)] public static Vector128<float> Max(Vector128<float> a, Vector128<float> b) => Vector128.MaxNative(a, b);

    [MethodImpl(Inline)]
    public static float Largest(Vector128<float> value)
    {
        Vector128<float> pairs = Vector128.MaxNative(value, Vector128.Shuffle(value, Vector128.Create(2, 3, 0, 1)));
        return Vector128.MaxNative(pairs, SwapPairs(pairs)).ToScalar();
    }

    [MethodImpl(Inline)] public static float First(Vector128<float> value) => value.ToScalar();
    [MethodImpl(Inline)] public static Vector128<float> SwapPairs(Vector128<float> value) => Vector128.Shuffle(value, Vector128.Create(1, 0, 3, 2));

    [MethodImpl(Inline)]
    public static Vector128<float> PowerOfTwo(Vector128<float> shifted) => ((shifted.AsInt32() << 23) + Vector128.Create(0x3f800000)).AsSingle();

    [MethodImpl(Inline)]
    public static Vector128<float> LoadHalf(ushort* from)
    {
        Vector128<int> wide = Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(long*)from).AsInt16());
        // The sign came along in the upper bits; the mask drops its copies between sign and exponent.
        return ((wide << 13) & Vector128.Create(unchecked((int)0x8fffe000))).AsSingle();
    }

    [MethodImpl(Inline)]
    public static void StoreHalf(Vector128<float> value, ushort* to)
    {
        Vector128<uint> bits = value.AsUInt32(), magnitude = bits & Vector128.Create(0x7fffffffu);
        Vector128<uint> nan = Vector128.GreaterThan(magnitude, Vector128.Create(0x7f800000u)) & Vector128.Create(0x200u);
        magnitude = Vector128.Min(magnitude, Vector128.Create(0x47800000u)); // 65536 already rounds to infinity
        // Normal: exponent rebased by -112, half of the last place less one added, and one more where the last bit kept is odd.
        Vector128<uint> normal = (magnitude + Vector128.Create(0xc8000fffu) + ((magnitude >>> 13) & Vector128.Create(1u))) >>> 13;
        // Subnormal: adding 0.5 lets the adder round to multiples of 2^-24.
        Vector128<uint> subnormal = (magnitude.AsSingle() + Vector128.Create(0.5f)).AsUInt32() - Vector128.Create(0x3f000000u);
        Vector128<uint> small = Vector128.LessThan(magnitude, Vector128.Create(0x38800000u));
        Vector128<uint> half = Vector128.ConditionalSelect(small, subnormal, normal) | nan | ((bits >>> 16) & Vector128.Create(0x8000u));
        *(ulong*)to = Vector128.Narrow(half, half).AsUInt64().ToScalar();
    }

    [MethodImpl(Inline)]
    public static Vector128<float> LoadBrain(ushort* from) => (Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(long*)from).AsInt16()) << 16).AsSingle();

    [MethodImpl(Inline)]
    public static void StoreBrain(Vector128<float> value, ushort* to)
    {
        Vector128<uint> bits = value.AsUInt32(), rounded = bits + Vector128.Create(0x7fffu) + ((bits >>> 16) & Vector128.Create(1u));
        Vector128<uint> nan = Vector128.GreaterThan(bits & Vector128.Create(0x7fffffffu), Vector128.Create(0x7f800000u));
        Vector128<uint> brain = Vector128.ConditionalSelect(nan, bits | Vector128.Create(0x400000u), rounded) >>> 16;
        *(ulong*)to = Vector128.Narrow(brain, brain).AsUInt64().ToScalar();
    }

    [MethodImpl(Inline)]
    public static Vector128<float> LoadBytes(sbyte* from) =>
        Vector128.ConvertToSingle(Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(int*)from).AsSByte())));

    [MethodImpl(Inline)]
    public static Vector128<float> LoadNibbles(byte* from, int shift)
    {
        Vector128<int> bytes = Vector128.WidenLower(Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(int*)from).AsByte())).AsInt32();
        return Vector128.ConvertToSingle(((bytes >>> shift) & Vector128.Create(15)) - Vector128.Create(8));
    }
}
