namespace Inference.Kernels;

/// <summary>Whether a device can be used.</summary>
internal enum DeviceStatus
{
    Usable,

    /// <summary>Usable when asked for by name, with a warning.</summary>
    Limited,

    Unusable,
}

/// <summary>A device as <c>devices</c> lists it.</summary>
/// <param name="Name">Name to ask for, for example <c>cuda:0</c>; of a kind that has no device, the kind.</param>
/// <param name="Description">Hardware and driver, or empty.</param>
/// <param name="MemoryBytes">Its memory; 0 where unknown.</param>
/// <param name="Simd">The best instruction set, of <c>cpu</c> only.</param>
/// <param name="Status">Whether it can be used.</param>
/// <param name="Reason">Why it is limited or unusable, else null.</param>
internal sealed record DeviceInfo(string Name, string Description, long MemoryBytes, SimdLevel? Simd, DeviceStatus Status, string? Reason);
