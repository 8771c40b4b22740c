using Inference.Kernels.Cases;

namespace Inference.Kernels.Tests;

/// <summary>Norms of values so small that epsilon counts.</summary>
public abstract class IlgpuNormTests(IlgpuFixture fixture)
{
    private const float Epsilon = 1e-5f, Small = 2e-3f;

    [Fact]
    public void Row_norms_count_epsilon() => Same((kernels, batch) =>
    {
        const int columns = 64;
        using var tensor = new RandomTensor(TensorFormat.Of(TensorType.F32), 32, columns, 1);
        using Weight weight = kernels.LoadWeight(tensor.Source, exact: false);
        using ParameterVector gain = kernels.LoadVector(RandomTensor.Activations(columns, 2));
        using Activations x = Rows(kernels, columns, 3), y = kernels.AllocateActivations(2, 32);
        kernels.NormLinear(batch, x, gain, Epsilon, [new Projection(weight, null, y)]);
        return kernels.Download(y, 2).ToArray();
    });

    [Fact]
    public void Head_norms_count_epsilon() => Same((kernels, batch) =>
    {
        var shape = new AttentionShape(2, 1, 32, 32, 32, RopeStyle.Half, 1);
        using KvPages pages = kernels.AllocatePages(new KvLayout(1, 1, 32, 32, 16, KvType.F32, KvType.F32), 2);
        using ParameterVector queryGain = kernels.LoadVector(RandomTensor.Activations(32, 4)), keyGain = kernels.LoadVector(RandomTensor.Activations(32, 5));
        using Activations q = Rows(kernels, 64, 6), k = Rows(kernels, 32, 7), v = Rows(kernels, 32, 8), y = kernels.AllocateActivations(2, 64);
        kernels.QkvRopeWrite(batch, shape, q, k, v, queryGain, keyGain, Epsilon, pages, 0);
        kernels.PagedAttention(batch, shape, q, pages, 0, y);
        return [.. kernels.Download(q, 2), .. kernels.Download(y, 2).ToArray().Select(value => value / Small)];
    });

    private void Same(Func<KernelSet, StepBatch, float[]> run)
    {
        float[] Run(KernelSet kernels)
        {
            // Two rows of one sequence, turned by no angle and by one.
            var batch = new StepBatch(new StepCapacity(2, 1, 1, 32)) { RowCount = 2, SequenceCount = 1 };
            (batch.QueryCount[0], batch.KvLength[0], batch.Positions[1], batch.Slots[1]) = (2, 2, 1, 1);
            for (int i = 0; i < 64; i++) batch.Rope[i] = i < 32 ? 1 - i % 2 : i % 2 == 0 ? 0.6f : 0.8f;
            kernels.Upload(batch);
            return run(kernels, batch);
        }

        using var reference = new ReferenceKernels();
        Assert.InRange(OperationCase.Error(Run(fixture.Kernels), Run(reference)), 0, 2e-5);
        fixture.CheckBounds();
    }

    private static Activations Rows(KernelSet kernels, int columns, int seed)
    {
        Activations rows = kernels.AllocateActivations(2, columns);
        kernels.Fill(rows, RandomTensor.Activations(2 * columns, seed).Select(value => value * Small).ToArray());
        return rows;
    }
}

[Collection(nameof(SimulatorFixture))]
public sealed class IlgpuSimulatorNormTests(SimulatorFixture fixture) : IlgpuNormTests(fixture);

[Collection(nameof(QuartetFixture))]
public sealed class IlgpuQuartetNormTests(QuartetFixture fixture) : IlgpuNormTests(fixture);

[Collection(nameof(OpenClFixture))]
public sealed class IlgpuOpenClNormTests(OpenClFixture fixture) : IlgpuNormTests(fixture);

[Collection(nameof(CudaFixture))]
public sealed class IlgpuCudaNormTests(CudaFixture fixture) : IlgpuNormTests(fixture);
