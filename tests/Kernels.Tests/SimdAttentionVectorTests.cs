using System.Runtime.Intrinsics;

namespace Inference.Kernels.Tests;

/// <summary>The vector functions under attention, at every instruction set: float16 against <see cref="Half"/>, exp and silu against <see cref="Math"/>.</summary>
public unsafe class SimdAttentionVectorTests
{
    public static TheoryData<string> Levels() => [.. Enum.GetNames<SimdLevel>()];

    private static SimdLevel Require(string name)
    {
        SimdLevel level = Enum.Parse<SimdLevel>(name);
        Assert.SkipUnless(SimdLevels.IsSupported(level), "instruction set absent: " + level);
        return level;
    }

    [Theory, MemberData(nameof(Levels))]
    public void Half_loads_are_exact_for_every_finite_value(string name)
    {
        var bits = new ushort[65536];
        for (int i = 0; i < bits.Length; i++) bits[i] = (ushort)i;
        var values = new float[bits.Length];
        switch (Require(name))
        {
            case SimdLevel.Avx512 or SimdLevel.Avx512Vnni: Load<Vector512<float>, Avx512Lanes>(bits, values); break;
            case SimdLevel.Portable: Load<Vector128<float>, PortableLanes>(bits, values); break;
            default: Load<Vector256<float>, Avx2Lanes>(bits, values); break;
        }
        for (int i = 0; i < bits.Length; i++)
        {
            Half expected = BitConverter.UInt16BitsToHalf(bits[i]);
            if (Half.IsFinite(expected)) Assert.Equal(BitConverter.SingleToInt32Bits((float)expected), BitConverter.SingleToInt32Bits(values[i] * HalfElement.Unfold));
        }
    }

    [Theory, MemberData(nameof(Levels))]
    public void Half_stores_round_as_the_runtime_does(string name)
    {
        SimdLevel level = Require(name);
        var values = new float[1 << 16];
        var random = new Random(4);
        for (int i = 0; i < values.Length; i++)
        {
            // Every second value lies on or beside the middle of two neighbours, where ties are decided.
            float near = (float)BitConverter.UInt16BitsToHalf((ushort)random.Next(1 << 16)) * (1 + (random.Next(3) - 1) * 0.00048828125f);
            values[i] = i % 2 == 0 ? BitConverter.UInt32BitsToSingle((uint)random.NextInt64(1L << 32)) : near;
        }
        float[] special = [0, -0f, 65504, 65519.996f, 65520, -65520, 65536, 1e30f, float.PositiveInfinity, float.NegativeInfinity, float.NaN, 5.9604645e-8f, 2.9802322e-8f, 2.9802326e-8f, 6.1035156e-5f, 6.1005354e-5f];
        special.CopyTo(values, 0);
        var bits = new ushort[values.Length];
        switch (level)
        {
            case SimdLevel.Avx512 or SimdLevel.Avx512Vnni: Store<Vector512<float>, Avx512Lanes>(values, bits); break;
            case SimdLevel.Portable: Store<Vector128<float>, PortableLanes>(values, bits); break;
            default: Store<Vector256<float>, Avx2Lanes>(values, bits); break;
        }
        for (int i = 0; i < values.Length; i++)
        {
            if (float.IsNaN(values[i])) Assert.True(Half.IsNaN(BitConverter.UInt16BitsToHalf(bits[i])), $"NaN became {bits[i]:x4}");
            else Assert.True(BitConverter.HalfToUInt16Bits((Half)values[i]) == bits[i], $"{values[i]:R}: {bits[i]:x4}, expected {BitConverter.HalfToUInt16Bits((Half)values[i]):x4}");
        }
    }

    [Theory, MemberData(nameof(Levels))]
    public void Exp_is_within_two_millionths_and_zero_below_its_range(string name)
    {
        float[] x = [.. Enumerable.Range(0, 200_000).Select(i => -87f * i / 199_999), -87.5f, -1000, float.NegativeInfinity, float.NaN, .. new float[12]];
        var y = new float[x.Length];
        switch (Require(name))
        {
            case SimdLevel.Avx512 or SimdLevel.Avx512Vnni: Exp<Vector512<float>, Avx512Lanes>(x, y); break;
            case SimdLevel.Portable: Exp<Vector128<float>, PortableLanes>(x, y); break;
            default: Exp<Vector256<float>, Avx2Lanes>(x, y); break;
        }
        for (int i = 0; i < 200_000; i++)
        {
            double expected = Math.Exp(x[i]);
            Assert.True(Math.Abs(y[i] - expected) <= 2e-6 * expected, $"exp({x[i]:R}) = {y[i]:R}, expected {expected:R}");
        }
        Assert.Equal([0, 0, 0, float.NaN, 1], y[200_000..200_005]);
    }

    [Theory, MemberData(nameof(Levels))]
    public void Activation_of_an_element_does_not_depend_on_its_place(string name)
    {
        using var kernels = new SimdKernels(Require(name), 2);
        const int columns = 4211, rows = 9; // odd, and more than one chunk: every element sits at another lane in another row
        var random = new Random(8);
        float[] gate = [.. Enumerable.Range(0, columns).Select(_ => (float)(random.NextDouble() - 0.5) * 200)], up = [.. gate.Select((_, i) => 1 + i * 1e-3f)];
        gate[0] = 0;
        gate[1] = -1e30f;
        gate[2] = 1e30f;
        var batch = new StepBatch(new StepCapacity(rows, 1, 1, 2)) { RowCount = rows };
        using Activations g = kernels.AllocateActivations(rows, columns), u = kernels.AllocateActivations(rows, columns), y = kernels.AllocateActivations(rows, columns);
        kernels.Fill(g, [.. Enumerable.Repeat(gate, rows).SelectMany(x => x)]);
        kernels.Fill(u, [.. Enumerable.Repeat(up, rows).SelectMany(x => x)]);
        kernels.GateUpActivation(batch, g, u, y);
        ReadOnlySpan<float> all = kernels.Download(y, rows);
        for (int i = 0; i < columns; i++)
        {
            double expected = gate[i] / (1 + Math.Exp(-(double)gate[i])) * up[i];
            Assert.True(Math.Abs(all[i] - expected) <= 2e-6 * Math.Abs(expected) + 1e-30, $"silu({gate[i]:R}) * {up[i]:R} = {all[i]:R}, expected {expected:R}");
            for (int r = 1; r < rows; r++) Assert.Equal(BitConverter.SingleToInt32Bits(all[i]), BitConverter.SingleToInt32Bits(all[r * columns + i]));
        }
    }

    private static void Load<V, TLanes>(ushort[] bits, float[] values) where V : struct where TLanes : struct, ILanes<V>
    {
        fixed (ushort* from = bits)
        fixed (float* to = values)
            for (int i = 0; i < bits.Length; i += TLanes.Width) TLanes.Store(TLanes.LoadHalf(from + i), to + i);
    }

    private static void Store<V, TLanes>(float[] values, ushort[] bits) where V : struct where TLanes : struct, ILanes<V>
    {
        fixed (float* from = values)
        fixed (ushort* to = bits)
            for (int i = 0; i < bits.Length; i += TLanes.Width) TLanes.StoreHalf(TLanes.Load(from + i), to + i);
    }

    private static void Exp<V, TLanes>(float[] x, float[] y) where V : struct where TLanes : struct, ILanes<V>
    {
        fixed (float* from = x)
        fixed (float* to = y)
            for (int i = 0; i < x.Length; i += TLanes.Width) TLanes.Store(VectorMath.Exp<V, TLanes>(TLanes.Load(from + i)), to + i);
    }
}
