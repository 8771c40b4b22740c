using System.Reflection;
using System.Text.RegularExpressions;
using ILGPU;
using ILGPU.Backends;
using ILGPU.Backends.EntryPoints;
using ILGPU.Backends.PTX;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;

namespace Inference.Kernels;

/// <summary>
/// Compiles a kernel to PTX, mends the text, and loads it. The mends: a call of one of <see cref="CudaIsa"/>'s methods becomes the instruction of that
/// name; additions and products say <c>.rn</c>, since the driver fuses those that leave the rounding open, in one kernel and not in the other.
/// </summary>
internal sealed partial class CudaLoader(CudaAccelerator accelerator) : KernelLoader(accelerator)
{
    private static readonly PropertyInfo EntryPoint = typeof(CompiledKernel).GetProperty("EntryPoint", BindingFlags.NonPublic | BindingFlags.Instance)
        ?? throw new MissingMemberException(nameof(CompiledKernel), "EntryPoint");

    private static readonly ConstructorInfo Constructor = typeof(PTXCompiledKernel).GetConstructors(BindingFlags.NonPublic | BindingFlags.Instance).Single();

    protected override TDelegate Compile<TDelegate>(DeviceKernel kernel)
    {
        var device = (CudaAccelerator)Accelerator;
        PTXCompiledKernel compiled = Compile(device.Backend, kernel);
        var mended = (PTXCompiledKernel)Constructor.Invoke([device.Context, EntryPoint.GetValue(compiled), null, Mend(compiled.PTXAssembly)]);
        return device.LoadKernel(mended).CreateLauncherDelegate<TDelegate>();
    }

    /// <summary>The text that is given to the driver; needs no GPU.</summary>
    public static string Text(PTXBackend backend, DeviceKernel kernel) => Mend(Compile(backend, kernel).PTXAssembly);

    private static PTXCompiledKernel Compile(PTXBackend backend, DeviceKernel kernel) =>
        (PTXCompiledKernel)backend.Compile(EntryPointDescription.FromExplicitlyGroupedKernel(kernel.Method), new KernelSpecialization(kernel.GroupSize, null));

    private static string Mend(string text)
    {
        text = Declaration().Replace(text, "");
        text = Call().Replace(text, m => $"{m.Groups["name"].Value.Replace('_', '.')}\t{m.Groups["to"].Value}, {string.Join(", ", m.Groups["from"].Captures)};");
        return Rounding().Replace(text, "$1.rn.f32");
    }

    [GeneratedRegex(@"\.extern \.func [^;]*\binference_[^;]*;\s*")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"\{\s*(?:\.param \.\w+ callParam\d+;\s*st\.param\.\w+\s*\[callParam\d+\], (?<from>[^;]+);\s*)+\.param \.\w+ callRetVal;\s*call(?:\.uni)? \(callRetVal\), inference_(?<name>\w+), \([^)]*\);\s*ld\.param\.\w+\s*(?<to>%\w+), \[callRetVal\];\s*\}")]
    private static partial Regex Call();

    [GeneratedRegex(@"\b(add|sub|mul)\.f32\b")]
    private static partial Regex Rounding();
}
