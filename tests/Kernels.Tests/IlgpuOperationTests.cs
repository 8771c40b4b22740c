using Inference.Kernels.Cases;

namespace Inference.Kernels.Tests;

/// <summary>Every operation case on ILGPU's devices, against the scalar reference.</summary>
public abstract class IlgpuOperationTests(IlgpuFixture fixture)
{
    public static TheoryData<string> Cases => new(AllCases.Small().Select(c => c.ToString()));

    [Theory, MemberData(nameof(Cases))]
    public void Agrees_with_the_reference(string name)
    {
        OperationCase c = AllCases.Small().Single(c => c.ToString() == name);
        using var reference = new ReferenceKernels();
        double error = OperationCase.Error(c.Run(fixture.Kernels), c.Run(reference));
        fixture.CheckBounds();
        Assert.True(error <= c.Tolerance, $"{c}: error {error:E2}, allowed {c.Tolerance:E1}");
    }
}

[Collection(nameof(SimulatorFixture))]
public sealed class IlgpuSimulatorOperationTests(SimulatorFixture fixture) : IlgpuOperationTests(fixture);

[Collection(nameof(OpenClFixture))]
public sealed class IlgpuOpenClOperationTests(OpenClFixture fixture) : IlgpuOperationTests(fixture);

[Collection(nameof(CudaFixture))]
public sealed class IlgpuCudaOperationTests(CudaFixture fixture) : IlgpuOperationTests(fixture);
