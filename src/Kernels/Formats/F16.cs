using System.Runtime.InteropServices;

namespace Inference.Kernels;

/// <summary>IEEE float16, little endian.</summary>
internal sealed class F16Format : TensorFormat
{
    public override TensorType Type => TensorType.F16;
    public override int BlockElements => 1;
    public override int BlockBytes => 2;

    public override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        ReadOnlySpan<ushort> bits = MemoryMarshal.Cast<byte, ushort>(blocks);
        for (int i = 0; i < values.Length; i++) values[i] = Half16.ToSingle(bits[i]);
    }
}

/// <summary>float16 as bits, without the calls that <see cref="System.Half"/> conversions are (1.8 ns each and every vector register spilled).</summary>
internal static class Half16
{
    /// <summary>The value of float16 bits; exact, also for subnormals, infinities and NaN.</summary>
    public static float ToSingle(ushort bits)
    {
        uint magnitude = (uint)(bits & 0x7fff) << 13;
        // Exponent and mantissa moved into place stand for value * 2^-112; all-ones exponents stay special.
        float value = (bits & 0x7c00) == 0x7c00
            ? BitConverter.UInt32BitsToSingle(magnitude | 0x7f800000)
            : BitConverter.UInt32BitsToSingle(magnitude) * 5.192296858534828e33f;
        return (bits & 0x8000) != 0 ? -value : value;
    }

    /// <summary>Rounds to the nearest float16, ties to even.</summary>
    public static ushort FromSingle(float value) => BitConverter.HalfToUInt16Bits((Half)value);
}
