using Inference.Kernels;
using Inference.Tests.Shared;

namespace Inference.Models.Tests;

/// <summary>The conformance models on the host kernels at every instruction set, and on ILGPU's devices: exact and fast bounds of their README.</summary>
public class DeviceConformanceTests(ITestOutputHelper output)
{
    public static TheoryData<string, bool> Levels()
    {
        var data = new TheoryData<string, bool>();
        foreach (SimdLevel level in Enum.GetValues<SimdLevel>())
        {
            data.Add(level.ToString(), true);
            data.Add(level.ToString(), false);
        }
        return data;
    }

    [Theory, MemberData(nameof(Levels))]
    public void Host_kernels_meet_the_bounds(string level, bool exact)
    {
        Assert.SkipUnless(SimdLevels.IsSupported(Enum.Parse<SimdLevel>(level)), "instruction set absent: " + level);
        Run(() => new SimdKernels(Enum.Parse<SimdLevel>(level), 2), $"cpu-{level}", exact);
    }

    [Theory]
    [InlineData("ilgpu-cpu", true)]
    [InlineData("ilgpu-cpu", false)]
    [InlineData("opencl", true)]
    [InlineData("opencl", false)]
    [InlineData("cuda", true)]
    [InlineData("cuda", false)]
    public void Device_kernels_meet_the_bounds(string device, bool exact)
    {
        Device opened;
        try
        {
            opened = DeviceCatalog.Open(new DeviceOptions { Name = device });
        }
        catch (DeviceUnavailableException e) when (device != "ilgpu-cpu")
        {
            Assert.Skip($"no {(device == "cuda" ? "CUDA" : "OpenCL")} device: {e.Message}");
            throw;
        }
        // The simulator is slow. Exact weights are float32 whatever their type, so a few models do; fast, every type runs on the smallest architecture.
        Func<ConformanceModel, bool>? some = device != "ilgpu-cpu" ? null : exact
            ? m => m.Name.StartsWith("tiny-qwen", StringComparison.Ordinal) && (m.Name.EndsWith("-F16", StringComparison.Ordinal) || m.Name.EndsWith("-Q4_K_M", StringComparison.Ordinal))
            : m => m.Name.StartsWith("tiny-qwen3", StringComparison.Ordinal) || m.Name.EndsWith("-Q4_0", StringComparison.Ordinal);
        using (opened) Run(() => opened.Kernels, device, exact, some);
    }

    private void Run(Func<KernelSet> kernels, string name, bool exact, Func<ConformanceModel, bool>? choose = null)
    {
        string last = "";
        var run = new ConformanceRun(kernels, choose: choose);
        Action<string> print = line => output.WriteLine(last = line);
        if (exact) run.Exact(ConformanceModel.RequireFolder(), print);
        else run.Fast(ConformanceModel.RequireFolder(), print);
        ConformanceLog.Write($"models-{name}-{(exact ? "exact" : "fast")}", last);
    }
}
