using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using ILGPU.Runtime.OpenCL;
using Inference.Kernels.Cases;

namespace Inference.Kernels.Tests;

public class IlgpuOperationTests
{
    public static TheoryData<string> Cases => new(AllCases.Small().Select(c => c.ToString()));

    [Theory, MemberData(nameof(Cases))]
    public void Agrees_with_the_reference(string name)
    {
        OperationCase c = AllCases.Small().Single(c => c.ToString() == name);
        using var reference = new ReferenceKernels();
        using Context context = Context.Create(b => b.CPU(new CPUDevice(4, 1, 2)).EnableAlgorithms().Optimize(OptimizationLevel.O2));
        using Accelerator accelerator = context.GetCPUDevice(0).CreateAccelerator(context);
        using var kernels = new IlgpuKernels("ilgpu-cpu", new KernelLoader(accelerator), KernelTable.Create<Portable, SimulatorGroups>());
        double error = OperationCase.Error(c.Run(kernels), c.Run(reference));
        Assert.True(error <= c.Tolerance, $"{c}: error {error:E2}, allowed {c.Tolerance:E1}");
    }

    [Theory, MemberData(nameof(Cases))]
    public void Agrees_with_the_reference_cl(string name)
    {
        OperationCase c = AllCases.Small().Single(c => c.ToString() == name);
        using var reference = new ReferenceKernels();
        using Context context = Context.Create(b => b.OpenCL(_ => true).EnableAlgorithms().Optimize(OptimizationLevel.O2));
        var d = context.Devices.OfType<CLDevice>().First();
        typeof(CLCapabilityContext).GetProperty("GenericAddressSpace")!.SetValue(d.Capabilities, true);
        using CLAccelerator accelerator = (CLAccelerator)d.CreateAccelerator(context);
        using var kernels = new IlgpuKernels("ilgpu-cpu", new OpenClLoader(accelerator), KernelTable.Create<OpenClIsa, HostGroups>());
        double error = OperationCase.Error(c.Run(kernels), c.Run(reference));
        Assert.True(error <= c.Tolerance, $"{c}: error {error:E2}, allowed {c.Tolerance:E1}");
    }
}
