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
            foreach (DeviceKernel kernel in KernelTable.Create<CudaIsa, GpuGroups>().All)
                if (IsTried(kernel.Name)) data.Add(target, kernel.Name);
        return data;
    }

    /// <summary>25 pairs of KV types are 325 kernels of the same parts: all of equal types and of F32 and F16, of the others one each.</summary>
    private static bool IsTried(string name) => name.Split(' ') switch
    {
        ["Attention", var key, var value, _, var dim, var tile] => key == value || (key, value) is ("F32" or "F16", "F32" or "F16") || (dim, tile) is ("128", "x2"),
        ["QkvRopeWrite", var key, var value, ..] => key == value || name.EndsWith("norm", StringComparison.Ordinal),
        _ => true,
    };

    [Theory, MemberData(nameof(Kernels))]
    public void Compiles_to_ptx(string target, string name)
    {
        DeviceKernel kernel = KernelTable.Create<CudaIsa, GpuGroups>().All.Single(k => k.Name == name);
        string text = compiler.Compile(target, kernel);
        int Count(string pattern) => Regex.Count(text, pattern);
        int shared = Regex.Matches(text, @"\.shared [^\n]*\[(\d+)\]").Sum(m => int.Parse(m.Groups[1].Value));
        output.WriteLine($"{name}: {Count("\n")} lines, dp4a {Count("dp4a")}, fma {Count(@"fma\.rn\.f32")}, 16-byte loads {Count(@"ld\.global\.v4")}, barriers {Count(@"bar\.sync")}, shared {shared}");

        // No kernel keeps a value in thread-local memory, calls, or leaves a rounding to the driver. 48 KiB is what a group may have without asking.
        Assert.Equal(0, Count(@"\.local"));
        Assert.Equal(0, Count(@"\bcall\b|inference_"));
        Assert.Equal(0, Count(@"\b(add|sub|mul|mad|fma)\.(ftz\.)?f32|\.ftz|div\.(approx|full)"));
        Assert.InRange(shared, 0, 48 << 10);
        Assert.Equal(1, Count($@"\.maxntid {kernel.GroupSize}, 1, 1"));

        string[] words = name.Split(' ');
        int tile = words[^1][0] == 'x' ? int.Parse(words[^1][1..]) : 0;
        if (words[0] == "Linear" && words[1] is not ("F32" or "F16" or "BF16"))
        {
            // Eight dp4a to a chunk and token, as many again to add up what mins are multiplied with, and a fma for each scale; the weights by 16 bytes.
            (int dots, int scales, int loads, int lookups) = words[1] switch
            {
                "Q8_0" => (8, 1, 2, 0),
                "Q4_0" => (8, 1, 1, 0),
                "Q4_K" or "Q5_K" => (8, 2, 2, 0),
                "Q6_K" => (8, 2, 1, 0),
                "IQ4_NL" or "IQ4_XS" or "MXFP4" => (8, 1, 1, 24),
                "unpacked" => (8, 2, 3, 0),
                "unpacked-min" => (16, 4, 3, 0),
                _ => throw new ArgumentException("no expectation for " + name),
            };
            Assert.Equal((dots * tile, scales * tile, loads + 2 * tile, lookups),
                (Count(@"dp4a\.s32\.s32"), Count(@"fma\.rn\.f32"), Count(@"ld\.global\.v4"), Count(@"prmt\.b32")));
        }
        if (words[0] == "Linear" && words[1] is ("F32" or "F16" or "BF16"))
            Assert.Equal((0, 8 * tile, (words[1] == "F32" ? 2 : 1) + 2 * tile), (Count("dp4a"), Count(@"fma\.rn\.f32"), Count(@"ld\.global\.v4")));
        if (words[0] == "Attention")
        {
            // A query needs 8 for a score and 8 for the weighted values, and the fold needs 4 and 1.
            Assert.Equal(16 * tile + 5, Count(@"fma\.rn\.f32"));
            Assert.InRange(Count(@"ld\.shared\.v4"), 2 * tile, 2 * tile + 6);
        }
        // float16 values and weights are converted by one instruction.
        if (words[0] == "Attention" && words[1] is "F16" || words is ["Linear", "F16" or "Q8_0" or "Q4_0" or "Q4_K" or "Q5_K" or "Q6_K" or "IQ4_NL" or "IQ4_XS", ..]) Assert.InRange(Count(@"cvt\.f32\.f16"), 1, 16);
    }

    [Fact]
    public void Names_are_unique_and_operations_complete()
    {
        IReadOnlyList<DeviceKernel> all = KernelTable.Create<CudaIsa, GpuGroups>().All;
        Assert.Equal(all.Count, all.Select(k => k.Name).Distinct().Count());
        KernelTable table = KernelTable.Create<CudaIsa, GpuGroups>();
        Assert.Equal(TensorFormat.All.Select(f => f.Type).Order(), table.Packed.Select(f => f.Type).Concat(table.Stored.Select(f => f.Type)).Order());
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
