using Inference.Kernels.Cases;

namespace Inference.Kernels.Tests;

/// <summary>Attention shapes beside the shared cases: K and V of different types and dims, part of a head rotated, any block size, every group.</summary>
public abstract class IlgpuAttentionTests(IlgpuFixture fixture)
{
    [Theory]
    [InlineData(4, 2, 32, 32, 32, KvType.F32, KvType.F16, 16)]
    [InlineData(4, 2, 32, 32, 32, KvType.F16, KvType.F32, 48)]
    [InlineData(2, 1, 64, 32, 16, KvType.F16, KvType.F16, 32)]
    [InlineData(2, 1, 32, 80, 32, KvType.F32, KvType.F32, 16)]
    [InlineData(6, 1, 16, 16, 16, KvType.F16, KvType.F16, 64)]
    [InlineData(12, 1, 16, 16, 8, KvType.F32, KvType.F32, 16)]
    [InlineData(17, 1, 16, 32, 16, KvType.F16, KvType.F32, 256)]
    [InlineData(5, 1, 256, 256, 256, KvType.F16, KvType.F16, 80)]
    [InlineData(4, 2, 32, 32, 32, KvType.BF16, KvType.F16, 16)]
    [InlineData(3, 1, 64, 32, 32, KvType.Q8_0, KvType.Q8_0, 48)]
    [InlineData(4, 2, 32, 96, 16, KvType.Q4_0, KvType.Q4_0, 16)]
    [InlineData(8, 1, 64, 64, 64, KvType.Q8_0, KvType.Q4_0, 32)]
    [InlineData(2, 1, 96, 48, 32, KvType.Q4_0, KvType.BF16, 16)]
    [InlineData(5, 1, 256, 256, 256, KvType.F32, KvType.Q8_0, 80)]
    internal void Agrees_with_the_reference(int heads, int kvHeads, int keyDim, int valueDim, int ropeDims, KvType keyType, KvType valueType, int blockSize)
    {
        var shape = new AttentionShape(heads, kvHeads, keyDim, valueDim, ropeDims, RopeStyle.Interleaved, 1 / MathF.Sqrt(keyDim));
        (int, int, int)[][] steps = [[(0, 0, 11), (1, 0, 1)], [(1, 1, 2), (0, 11, 250)], [(0, 261, 1), (1, 3, 1)], [(1, 4, 1), (0, 262, 2)]];
        using var reference = new ReferenceKernels();
        Dictionary<(int, int), float[]> expected = new AttentionSteps(reference, shape, keyType, valueType).Run(blockSize, steps);
        Dictionary<(int, int), float[]> actual = new AttentionSteps(fixture.Kernels, shape, keyType, valueType).Run(blockSize, steps);
        double tolerance = Math.Max(Tolerance(keyType), Tolerance(valueType));
        foreach (((int, int) at, float[] row) in expected)
        {
            double error = OperationCase.Error(actual[at], row);
            Assert.True(error <= tolerance, $"{at}: error {error:E2}");
        }
        fixture.CheckBounds();
    }

    /// <summary>What one element that is rounded the other way may change.</summary>
    private static double Tolerance(KvType type) => type switch { KvType.F32 => 2e-5, KvType.F16 => 2e-3, KvType.BF16 => 8e-3, KvType.Q8_0 => 1e-2, _ => 4e-2 };

    [Fact]
    public void Single_tokens_over_many_partitions_agree_with_the_reference()
    {
        var shape = new AttentionShape(2, 1, 16, 16, 16, RopeStyle.Half, 0.25f);
        (int, int, int)[][] steps = [[(0, 0, 1000), (1, 0, 511)], [(0, 1000, 1), (1, 511, 1)], [(1, 512, 1), (0, 1001, 30)], [(0, 1031, 1)]];
        using var reference = new ReferenceKernels();
        Dictionary<(int, int), float[]> expected = new AttentionSteps(reference, shape, KvType.F32, KvType.F32).Run(16, steps);
        Dictionary<(int, int), float[]> actual = new AttentionSteps(fixture.Kernels, shape, KvType.F32, KvType.F32).Run(16, steps);
        foreach (((int, int) at, float[] row) in expected) Assert.InRange(OperationCase.Error(actual[at], row), 0, 2e-5);
        fixture.CheckBounds();
    }

    [Fact]
    public void Other_head_dims_are_refused_by_number()
    {
        Assert.Contains("24", Assert.Throws<NotSupportedException>(() => KernelTable.DimIndex(24, 16)).Message);
        Assert.Contains("272", Assert.Throws<NotSupportedException>(() => KernelTable.DimIndex(64, 272)).Message);
    }
}

[Collection(nameof(SimulatorFixture))]
public sealed class IlgpuSimulatorAttentionTests(SimulatorFixture fixture) : IlgpuAttentionTests(fixture);

[Collection(nameof(QuartetFixture))]
public sealed class IlgpuQuartetAttentionTests(QuartetFixture fixture) : IlgpuAttentionTests(fixture);

[Collection(nameof(OpenClFixture))]
public sealed class IlgpuOpenClAttentionTests(OpenClFixture fixture) : IlgpuAttentionTests(fixture);

[Collection(nameof(CudaFixture))]
public sealed class IlgpuCudaAttentionTests(CudaFixture fixture) : IlgpuAttentionTests(fixture);
