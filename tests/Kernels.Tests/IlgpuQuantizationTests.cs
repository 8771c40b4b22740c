using System.Runtime.InteropServices;
using Inference.Kernels.Cases;

namespace Inference.Kernels.Tests;

/// <summary>The int8 form of activations, bit for bit, read back through identity matrices; and the number formats that kernels compute by integers.</summary>
public abstract class IlgpuQuantizationTests(IlgpuFixture fixture)
{
    private const int Columns = 128;

    [Fact]
    public void Activations_have_the_bits_of_the_reference()
    {
        KernelSet kernels = fixture.Kernels;
        float[] x = [.. RandomTensor.Activations(Columns, 1), .. Hard(), .. RandomTensor.Activations(Columns, 2).Select(v => v * 1e-30f)];
        int rows = x.Length / Columns;
        using Weight identity = Identity(kernels, TensorType.Q8_0);
        StepBatch batch = ProductCases.Rows(rows, 1, 1);
        using Activations input = kernels.AllocateActivations(rows, Columns), output = kernels.AllocateActivations(rows, Columns);
        kernels.Fill(input, x);
        kernels.Upload(batch);
        kernels.LinearAdd(batch, input, identity, null, output);
        float[] actual = kernels.Download(output, rows).ToArray(), expected = [.. Enumerable.Range(0, rows).SelectMany(r => Linear.RoundActivations(x.AsSpan(r * Columns, Columns)))];
        // Adding 0 turns a negative zero positive, on both sides.
        Assert.Equal(expected.Select(v => BitConverter.SingleToInt32Bits(v + 0f)), actual.Select(v => BitConverter.SingleToInt32Bits(v + 0f)));
        fixture.CheckBounds();
    }

    [Fact]
    public void Fused_norm_quantises_as_the_norm_alone_followed_by_the_reference()
    {
        KernelSet kernels = fixture.Kernels;
        using Weight floats = Identity(kernels, TensorType.F32), quants = Identity(kernels, TensorType.Q8_0);
        using ParameterVector gain = kernels.LoadVector(RandomTensor.Activations(Columns, 3));
        StepBatch batch = ProductCases.Rows(2, 1, 1);
        using Activations x = kernels.AllocateActivations(2, Columns), normed = kernels.AllocateActivations(2, Columns), both = kernels.AllocateActivations(2, Columns), alone = kernels.AllocateActivations(2, Columns);
        kernels.Fill(x, RandomTensor.Activations(2 * Columns, 4));
        kernels.Upload(batch);
        kernels.NormLinear(batch, x, gain, 1e-5f, [new Projection(floats, null, normed), new Projection(quants, null, both)]);
        kernels.NormLinear(batch, x, gain, 1e-5f, [new Projection(quants, null, alone)]);
        float[] values = kernels.Download(normed, 2).ToArray();
        float[] expected = [.. Linear.RoundActivations(values.AsSpan(0, Columns)), .. Linear.RoundActivations(values.AsSpan(Columns))];
        Assert.Equal(expected, kernels.Download(both, 2).ToArray());
        Assert.Equal(expected, kernels.Download(alone, 2).ToArray());
        fixture.CheckBounds();
    }

    /// <summary>A row of zero blocks, ties (127 beside halves) and a block whose greatest value is negative.</summary>
    private static IEnumerable<float> Hard()
    {
        for (int i = 0; i < 32; i++) yield return 0;
        for (int i = 0; i < 32; i++) yield return i == 7 ? 127 : i - 15.5f;
        for (int i = 0; i < 32; i++) yield return i == 7 ? -3.7f : i * 0.1f;
        for (int i = 0; i < 32; i++) yield return i == 0 ? 1e30f : MathF.Pow(-7f, i);
    }

    private static unsafe Weight Identity(KernelSet kernels, TensorType type)
    {
        TensorFormat format = TensorFormat.Of(type);
        var bytes = new byte[format.RowBytes(Columns) * Columns];
        for (int r = 0; r < Columns; r++)
        {
            Span<byte> row = bytes.AsSpan((int)format.RowBytes(Columns) * r);
            if (type == TensorType.F32)
            {
                MemoryMarshal.Write(row[(r * 4)..], 1f);
                continue;
            }
            for (int b = 0; b < Columns / 32; b++) MemoryMarshal.Write(row[(b * 34)..], Half16.FromSingle(1));
            row[r / 32 * 34 + 2 + r % 32] = 1;
        }
        fixed (byte* data = bytes) return kernels.LoadWeight(new TensorSource("identity", format, Columns, Columns, (nint)data), exact: false);
    }
}

[Collection(nameof(SimulatorFixture))]
public sealed class IlgpuSimulatorQuantizationTests(SimulatorFixture fixture) : IlgpuQuantizationTests(fixture);

[Collection(nameof(QuartetFixture))]
public sealed class IlgpuQuartetQuantizationTests(QuartetFixture fixture) : IlgpuQuantizationTests(fixture);

[Collection(nameof(OpenClFixture))]
public sealed class IlgpuOpenClQuantizationTests(OpenClFixture fixture) : IlgpuQuantizationTests(fixture);

[Collection(nameof(CudaFixture))]
public sealed class IlgpuCudaQuantizationTests(CudaFixture fixture) : IlgpuQuantizationTests(fixture);

/// <summary>Integer implementations of float16 and rounding, on the host, where every value can be tried.</summary>
public class IlgpuNumericsTests
{
    [Fact]
    public void Float16_decodes_exactly()
    {
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
        {
            float expected = (float)BitConverter.UInt16BitsToHalf((ushort)bits), actual = Numerics.HalfToFloat((uint)bits);
            if (float.IsNaN(expected)) Assert.True(float.IsNaN(actual));
            else Assert.Equal(BitConverter.SingleToInt32Bits(expected), BitConverter.SingleToInt32Bits(actual));
        }
    }

    [Fact]
    public void Float16_rounds_to_nearest_even()
    {
        for (int bits = 0; bits < 0x7c00; bits++)
        {
            // The value, the point midway to the next, and the float32 neighbours of both.
            float value = (float)BitConverter.UInt16BitsToHalf((ushort)bits), next = bits == 0x7bff ? 65536 : (float)BitConverter.UInt16BitsToHalf((ushort)(bits + 1)), middle = (value + next) / 2;
            foreach (float x in (ReadOnlySpan<float>)[value, MathF.BitIncrement(value), MathF.BitDecrement(middle), middle, MathF.BitIncrement(middle)])
            {
                Assert.Equal(BitConverter.HalfToUInt16Bits((Half)x), (ushort)Numerics.FloatToHalf(x));
                Assert.Equal(BitConverter.HalfToUInt16Bits((Half)(-x)), (ushort)Numerics.FloatToHalf(-x));
            }
        }
    }

    [Fact]
    public void Rounding_is_half_to_even()
    {
        for (int i = -254; i <= 254; i++)
            foreach (float x in (ReadOnlySpan<float>)[i / 2f, MathF.BitDecrement(i / 2f), MathF.BitIncrement(i / 2f)])
                Assert.Equal((int)MathF.Round(Math.Clamp(x, -127, 127), MidpointRounding.ToEven), Numerics.RoundToInt(x));
    }
}
