namespace Inference.Kernels;

/// <summary>A device in use: its kernel set, what was chosen, and what the user should know about it.</summary>
/// <param name="name">Name as the command line spells it, for example <c>opencl:0</c>; under <c>auto</c>, the choice.</param>
/// <param name="description">Hardware, for example <c>NVIDIA H100 80GB HBM3</c>.</param>
/// <param name="kernels">The operations; disposed with the device.</param>
/// <param name="warnings">Lines to show once.</param>
/// <param name="owned">What else lives as long as the device, in the order of disposal.</param>
internal sealed class Device(string name, string description, KernelSet kernels, IReadOnlyList<string> warnings, params IDisposable[] owned) : IDisposable
{
    public string Name { get; } = name;
    public string Description { get; } = description;
    public KernelSet Kernels { get; } = kernels;
    public IReadOnlyList<string> Warnings { get; } = warnings;

    public void Dispose()
    {
        Kernels.Dispose();
        foreach (IDisposable resource in owned) resource.Dispose();
    }
}
