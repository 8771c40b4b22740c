using System.Reflection;
using System.Runtime.InteropServices;
using ILGPU;

namespace Inference.Kernels;

/// <summary>
/// Finds the two native libraries that ILGPU calls. ILGPU asks Linux for <c>libOpenCL.so</c> and <c>libcuda.so</c>, which only development packages
/// install; drivers bring the names with a version, so those serve too.
/// </summary>
internal static class NativeLibraries
{
    private static readonly string[] OpenClNames =
        OperatingSystem.IsWindows() ? ["OpenCL.dll"] : OperatingSystem.IsMacOS() ? ["/System/Library/Frameworks/OpenCL.framework/OpenCL"] : ["libOpenCL.so", "libOpenCL.so.1"];

    private static readonly string[] CudaNames = OperatingSystem.IsWindows() ? ["nvcuda.dll"] : ["libcuda.so", "libcuda.so.1"];

    static NativeLibraries()
    {
        try
        {
            NativeLibrary.SetDllImportResolver(typeof(Context).Assembly, Resolve);
        }
        catch (InvalidOperationException)
        {
            // The application has set its own; then that decides.
        }
    }

    /// <summary>Why OpenCL cannot be called, or null.</summary>
    public static string? OpenClProblem => Loads(OpenClNames) ? null : $"no OpenCL driver ({OpenClNames[0]} not found)";

    /// <summary>Why CUDA cannot be called, or null.</summary>
    public static string? CudaProblem => Loads(CudaNames) ? null : $"no NVIDIA driver ({CudaNames[0]} not found)";

    private static bool Loads(string[] names)
    {
        foreach (string name in names)
            if (NativeLibrary.TryLoad(name, out _)) return true;
        return false;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        string[] candidates = name switch { "OpenCL" => OpenClNames, "cuda" or "nvcuda" => CudaNames, _ => [] };
        foreach (string candidate in candidates)
            if (NativeLibrary.TryLoad(candidate, out nint handle)) return handle;
        return 0; // the ordinary search
    }
}
