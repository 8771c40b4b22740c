using System.Diagnostics;
using ILGPU;
using ILGPU.Runtime;

namespace Inference.Kernels;

/// <summary>Compiles kernels for one accelerator and notes the time that it takes.</summary>
internal class KernelLoader(Accelerator accelerator)
{
    public Accelerator Accelerator { get; } = accelerator;

    /// <summary>The one stream that operations run on, in order.</summary>
    public AcceleratorStream Stream { get; } = accelerator.DefaultStream;

    /// <summary>Time spent in compiling so far.</summary>
    public TimeSpan CompileTime { get; private set; }

    /// <summary>Compiles a kernel.</summary>
    /// <exception cref="InvalidOperationException">The kernel does not compile; names kernel and device.</exception>
    public Action<AcceleratorStream, KernelConfig, TArgs> Load<TArgs>(DeviceKernel kernel) where TArgs : struct
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            return Compile<Action<AcceleratorStream, KernelConfig, TArgs>>(kernel);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new InvalidOperationException($"kernel '{kernel.Name}' does not compile for {Accelerator.Name}: {e.GetBaseException().Message}", e);
        }
        finally
        {
            CompileTime += Stopwatch.GetElapsedTime(start);
        }
    }

    protected virtual TDelegate Compile<TDelegate>(DeviceKernel kernel) where TDelegate : Delegate =>
        Accelerator.LoadKernel<TDelegate>(kernel.Method, new KernelSpecialization(kernel.GroupSize, null));
}
