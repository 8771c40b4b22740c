namespace Inference.Kernels;

/// <summary>
/// Float32 vectors of one instruction set, so that a kernel is written once: type parameters are structs, so the JIT makes a kernel of plain
/// instructions for each. <typeparamref name="V"/> is Vector512, Vector256 or Vector128 of float.
/// </summary>
internal unsafe interface ILanes<V> where V : struct
{
    /// <summary>Floats of a vector: 16, 8 or 4.</summary>
    static abstract int Width { get; }

    /// <summary>Column vectors of a register tile of four rows: as many as leave room for operands (4 with 32 registers, else 2).</summary>
    static abstract int TileColumns { get; }

    static abstract V Load(float* from);
    static abstract void Store(V value, float* to);
    static abstract V Broadcast(float value);
    static abstract V Add(V a, V b);
    static abstract V Subtract(V a, V b);
    static abstract V Multiply(V a, V b);
    static abstract V Divide(V a, V b);

    /// <summary>a * b + c; fused wherever the processor has it.</summary>
    static abstract V MultiplyAdd(V a, V b, V c);

    /// <summary>The smaller of each pair; <paramref name="b"/> where either is NaN.</summary>
    static abstract V Min(V a, V b);

    /// <summary>a where <paramref name="x"/> is below <paramref name="limit"/> (false for NaN), else b.</summary>
    static abstract V SelectBelow(V x, V limit, V a, V b);

    /// <summary>Whether any lane of a is greater than its lane of b.</summary>
    static abstract bool AnyGreater(V a, V b);

    /// <summary>Sum of all lanes, in a fixed order.</summary>
    static abstract float Sum(V value);

    /// <summary>The larger of each pair; <paramref name="b"/> where either is NaN.</summary>
    static abstract V Max(V a, V b);

    /// <summary>The largest lane.</summary>
    static abstract float Largest(V value);

    /// <summary>The first lane.</summary>
    static abstract float First(V value);

    /// <summary>Lanes 1, 0, 3, 2, ...</summary>
    static abstract V SwapPairs(V value);

    /// <summary>2^n for the integer n in the low mantissa bits of <paramref name="shifted"/> = n + 1.5 * 2^23.</summary>
    static abstract V PowerOfTwo(V shifted);

    /// <summary>float16 bits moved into place: value * 2^-112, exact for every finite float16. <see cref="HalfElement.Unfold"/> goes into the other factor.</summary>
    static abstract V LoadHalf(ushort* from);

    /// <summary>Rounds to float16, ties to even; too large becomes infinity, NaN stays NaN.</summary>
    static abstract void StoreHalf(V value, ushort* to);

    /// <summary>bfloat16 bits as float32.</summary>
    static abstract V LoadBrain(ushort* from);

    /// <summary>Rounds to bfloat16, ties to even; NaN stays NaN.</summary>
    static abstract void StoreBrain(V value, ushort* to);

    /// <summary>Signed bytes as float32.</summary>
    static abstract V LoadBytes(sbyte* from);

    /// <summary>Four bits of each byte, from bit <paramref name="shift"/> (0 or 4) on, less 8, as float32.</summary>
    static abstract V LoadNibbles(byte* from, int shift);
}

/// <summary>Elements of a stored plane and how they come into a vector.</summary>
internal unsafe interface IElement
{
    static abstract int Bytes { get; }

    /// <summary>Factor that the other operand of a product carries.</summary>
    static abstract float Unfold { get; }

    /// <summary>Whether the elements stream from memory, so that kernels fetch the next tile ahead.</summary>
    static abstract bool Streams { get; }

    static abstract V Load<V, TLanes>(byte* from) where V : struct where TLanes : struct, ILanes<V>;

    static abstract void Store<V, TLanes>(V value, byte* to) where V : struct where TLanes : struct, ILanes<V>;
}

/// <summary>A number that the JIT knows: rows or columns of a register tile.</summary>
internal interface ICount
{
    static abstract int Value { get; }
}

internal readonly struct One : ICount
{
    public static int Value => 1;
}

internal readonly struct Two : ICount
{
    public static int Value => 2;
}

internal readonly struct Three : ICount
{
    public static int Value => 3;
}

internal readonly struct Four : ICount
{
    public static int Value => 4;
}
