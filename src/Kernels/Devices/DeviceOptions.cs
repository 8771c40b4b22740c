namespace Inference.Kernels;

/// <summary>Which device to open, and how.</summary>
internal sealed record DeviceOptions
{
    /// <summary><c>auto</c>, <c>cpu</c>, <c>cuda[:n]</c>, <c>opencl[:n]</c> or <c>ilgpu-cpu</c>. Default <c>auto</c>: a GPU where one is usable, else <c>cpu</c>.</summary>
    public string Name { get; init; } = "auto";

    /// <summary>Instruction set of <c>cpu</c>: <c>avx512vnni</c>, <c>avx512</c>, <c>avx2vnni</c>, <c>avx2</c> or <c>portable</c>. Default: the best that the processor has.</summary>
    public string? Simd { get; init; }

    /// <summary>Threads of <c>cpu</c>. Default 0: one for each core (<see cref="ProcessorTopology"/>).</summary>
    public int Threads { get; init; }

    /// <summary>Whether <c>cpu</c> packs weights at load. Default true: packed products are several times faster.</summary>
    public bool Pack { get; init; } = true;

    /// <summary>Whether decode on <c>cpu</c> reads the KV of a prefix that sequences of a step have in common once for all of them. Default true: the bits are the same, the reads fewer.</summary>
    public bool SharePrefixes { get; init; } = true;
}
