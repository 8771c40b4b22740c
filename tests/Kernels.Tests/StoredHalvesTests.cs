using System.Runtime.Intrinsics;

namespace Inference.Kernels.Tests;

public class StoredHalvesTests
{
    /// <summary>All float16 numbers against <see cref="Half"/>: 1,024 times as much, exactly, or refused from 64 on and where there is no number.</summary>
    [Fact]
    public void Every_number_is_multiplied_exactly_or_refused()
    {
        for (int bits = 0; bits < 1 << 16; bits++)
        {
            Vector128<ushort> halves = Vector128.Create((ushort)bits);
            var value = (float)BitConverter.UInt16BitsToHalf((ushort)bits);
            bool fits = Math.Abs(value) < 64;
            Assert.Equal(fits ? default : Vector128<ushort>.AllBitsSet, StoredHalves.Excess(halves));
            if (fits) Assert.Equal(Vector128.Create(BitConverter.HalfToUInt16Bits((Half)(value * 1024))), StoredHalves.Store(halves));
        }
    }
}
