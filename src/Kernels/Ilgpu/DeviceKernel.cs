using System.Reflection;
using ILGPU;
using ILGPU.Runtime;

namespace Inference.Kernels;

/// <summary>A kernel method with all its generic arguments, and its group size. Only <see cref="KernelTable"/> makes them, so none escapes its list.</summary>
internal abstract class DeviceKernel(string name, MethodInfo method, int groupSize)
{
    /// <summary>Operation and variant, for messages and tests: <c>Linear Q4_0 x4</c>.</summary>
    public string Name { get; } = name;

    /// <summary>The kernel.</summary>
    public MethodInfo Method { get; } = method;

    /// <summary>Threads of a group.</summary>
    public int GroupSize { get; } = groupSize;
}

/// <summary>A kernel that takes one struct of views and numbers. It is compiled at its first launch, so a model pays for the kernels it uses.</summary>
internal sealed class DeviceKernel<TArgs>(string name, Action<TArgs> kernel, int groupSize) : DeviceKernel(name, kernel.Method, groupSize) where TArgs : struct
{
    // ILGPU forgets a compiled kernel that nobody holds.
    private Action<AcceleratorStream, KernelConfig, TArgs>? launcher;

    /// <summary>Starts the kernel on a grid of groups; returns before it has run.</summary>
    public void Launch(KernelLoader loader, Index3D grid, in TArgs args)
    {
        launcher ??= loader.Load<TArgs>(this);
        launcher(loader.Stream, new KernelConfig(grid, new Index3D(GroupSize, 1, 1)), args);
    }
}
