using Inference.Kernels.Cases;

namespace Inference.Kernels.Tests;

/// <summary>
/// What a warm step allocates on the managed heap: nothing of ours. ILGPU allocates a wrapper for each copy (160 bytes for a step's two), and its CPU
/// accelerator a task for each launch (some 250 bytes).
/// </summary>
public abstract class IlgpuAllocationTests(IlgpuFixture fixture, int allowed, ITestOutputHelper output)
{
    [Fact]
    public void A_warm_step_allocates_what_ilgpu_does_and_no_more()
    {
        const int columns = 256, steps = 20;
        KernelSet kernels = fixture.Kernels;
        var shape = new AttentionShape(4, 2, 64, 64, 64, RopeStyle.Half, 0.125f);
        using var tensor = new RandomTensor(TensorFormat.Of(TensorType.Q8_0), columns, columns, 1);
        using Weight weight = kernels.LoadWeight(tensor.Source, exact: false);
        using ParameterVector gain = kernels.LoadVector(RandomTensor.Activations(columns, 2));
        using Activations x = kernels.AllocateActivations(1, columns), q = kernels.AllocateActivations(1, columns), k = kernels.AllocateActivations(1, columns), y = kernels.AllocateActivations(1, columns);
        using KvPages pages = kernels.AllocatePages(new KvLayout(1, 2, 64, 64, 16, KvType.F16, KvType.F16), 64);
        var batch = new StepBatch(new StepCapacity(1, 1, 64, 64)) { RowCount = 1, SequenceCount = 1, OutputCount = 1 };
        batch.QueryCount[0] = 1;
        Projection[] projections = [new(weight, null, q), new(weight, gain, k)];

        void Step(int position)
        {
            (batch.Positions[0], batch.Slots[0], batch.KvLength[0]) = (position, position, position + 1);
            if (position % 16 == 0) batch.SetBlock(0, position / 16, position / 16);
            kernels.Upload(batch);
            kernels.Embed(batch, weight, x);
            kernels.NormLinear(batch, x, gain, 1e-5f, projections);
            kernels.QkvRopeWrite(batch, shape, q, k, k, null, null, 1e-5f, pages, 0);
            kernels.PagedAttention(batch, shape, q, pages, 0, y);
            kernels.LinearAdd(batch, y, weight, null, x);
            kernels.GateUpActivation(batch, x, q, y);
            kernels.Logits(batch, 0, 1, x, gain, 1e-5f, weight, y);
            kernels.Download(y, 1);
        }

        // Past the second partition, so that the kernels of split attention have run too.
        for (int position = 0; position < 300; position++) Step(position);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < steps; i++) Step(300 + i);
        double bytes = (GC.GetAllocatedBytesForCurrentThread() - before) / (double)steps;
        output.WriteLine($"{kernels.Name}: {bytes:F0} bytes a step");
        Assert.InRange(bytes, 0, allowed);
        fixture.CheckBounds();
    }
}

[Collection(nameof(SimulatorFixture))]
public sealed class IlgpuSimulatorAllocationTests(SimulatorFixture fixture, ITestOutputHelper output) : IlgpuAllocationTests(fixture, 4500, output);

[Collection(nameof(OpenClFixture))]
public sealed class IlgpuOpenClAllocationTests(OpenClFixture fixture, ITestOutputHelper output) : IlgpuAllocationTests(fixture, 200, output);
