using System.Reflection;
using System.Text.RegularExpressions;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.OpenCL;
using ILGPU.Runtime.OpenCL;

namespace Inference.Kernels;

/// <summary>
/// Compiles a kernel to OpenCL C, mends the text, and loads it. The mends: barriers fence local memory too (ILGPU 1.5.3 asks for the global fence alone,
/// though shared memory is what a barrier is for); 16-byte structs are aligned to 16 bytes, so that the driver may load them whole; contraction
/// is off, so that only the fused multiply-adds which ILGPU writes are fused; the helpers of <see cref="OpenClIsa"/> come first.
/// </summary>
internal sealed partial class OpenClLoader(CLAccelerator accelerator) : KernelLoader(accelerator)
{
    private static readonly PropertyInfo EntryPoint = typeof(CompiledKernel).GetProperty("EntryPoint", BindingFlags.NonPublic | BindingFlags.Instance)
        ?? throw new MissingMemberException(nameof(CompiledKernel), "EntryPoint");

    protected override TDelegate Compile<TDelegate>(DeviceKernel kernel)
    {
        var device = (CLAccelerator)Accelerator;
        var compiled = (CLCompiledKernel)device.Backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel.Method), default);
        string source = Mend(compiled.Source);
        var mended = new CLCompiledKernel(device.Context, (SeparateViewEntryPoint)EntryPoint.GetValue(compiled)!, null, source, compiled.CVersion);
        try
        {
            return device.LoadKernel(mended).CreateLauncherDelegate<TDelegate>();
        }
        catch (CLException e)
        {
            // The exception hides the compiler's log; building again returns it.
            CLKernel.LoadKernel(device, compiled.Name, source, compiled.CVersion, out nint program, out _, out string? log);
            throw new InvalidOperationException($"{e.Error}: {log?.Trim()}", e);
        }
    }

    private static string Mend(string source)
    {
        source = source.Replace("( CLK_GLOBAL_MEM_FENCE )", "( CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE )", StringComparison.Ordinal);
        source = Unsigned().Replace(source, "$1u"); // -1 is written as 4294967295, of which the compiler warns on stderr
        source = FourWords().Replace(source, "$1 __attribute__((aligned(16)));");
        if (source.Contains("inference_", StringComparison.Ordinal)) source = source.Insert(source.IndexOf("kernel void", StringComparison.Ordinal), OpenClIsa.Prelude);
        return "#pragma OPENCL FP_CONTRACT OFF\n" + source;
    }

    [GeneratedRegex(@"(?<=[=?:]\s+)(\d{10})(?=\s*[;:])")]
    private static partial Regex Unsigned();

    [GeneratedRegex(@"(struct type_\d+\s*\{(?:\s*(?:int|float) field_\d;){4}\s*\});")]
    private static partial Regex FourWords();
}
