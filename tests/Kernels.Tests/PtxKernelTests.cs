using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Algorithms;
using ILGPU.Backends.PTX;
using ILGPU.Runtime.Cuda;

namespace Inference.Kernels.Tests;

/// <summary>Every kernel that CUDA may run compiles to PTX, without a GPU, and its text holds what matters.</summary>
public sealed class PtxKernelTests : IClassFixture<PtxKernelTests.Compiler>
{
    private readonly Compiler compiler;
    private readonly ITestOutputHelper output;

    public PtxKernelTests(Compiler compiler, ITestOutputHelper output) => (this.compiler, this.output) = (compiler, output);

    public static TheoryData<string, string> Kernels()
    {
        var data = new TheoryData<string, string>();
        foreach (string target in (string[])["SM_80", "SM_90"])
            foreach (DeviceKernel kernel in KernelTable.Create<CudaIsa, GpuGroups>().All) data.Add(target, kernel.Name);
        return data;
    }

    [Theory, MemberData(nameof(Kernels))]
    public void Compiles_to_ptx(string target, string name)
    {
        DeviceKernel kernel = KernelTable.Create<CudaIsa, GpuGroups>().All.Single(k => k.Name == name);
        string text = compiler.Compile(target, kernel);
        int Count(string pattern) => Regex.Count(text, pattern);
        output.WriteLine($"{name}: {Count("\n")} lines, dp4a {Count("dp4a")}, fma {Count(@"fma\.rn\.f32")}, local {Count(@"\.local")}, v4 loads {Count(@"ld\.global\.v4")}, div {Count(@"(div|rem)\.[us]")}, barriers {Count(@"bar\.sync")}");

        Assert.Equal(0, Count(@"\.local"));
    }

    /// <summary>ILGPU's PTX back-ends of the targets.</summary>
    public sealed class Compiler : IDisposable
    {
        private readonly Context context = Context.Create(b => b.EnableAlgorithms().Optimize(OptimizationLevel.O2));
        private readonly Dictionary<string, PTXBackend> backends = [];

        internal string Compile(string target, DeviceKernel kernel)
        {
            if (!backends.TryGetValue(target, out PTXBackend? backend))
            {
                CudaArchitecture architecture = target == "SM_80" ? CudaArchitecture.SM_80 : CudaArchitecture.SM_90;
                backends[target] = backend = new PTXBackend(context, new CudaCapabilityContext(architecture), architecture, CudaInstructionSet.ISA_80, null!);
            }
            return CudaLoader.Text(backend, kernel);
        }

        public void Dispose()
        {
            foreach (PTXBackend backend in backends.Values) backend.Dispose();
            context.Dispose();
        }
    }
}
