namespace Inference.Kernels;

/// <summary>
/// How the work of one group is cut on one kind of device: constants of the kernels, chosen on the host. The order of every sum depends on them
/// and on the shape only, never on the batch, so answers are the same within one choice. All are powers of two.
/// </summary>
internal interface IGroups
{
    /// <summary>Threads that share one row of a product; each sums every <c>Lanes</c>-th chunk.</summary>
    static abstract int Lanes { get; }

    /// <summary>Rows of a product in one group.</summary>
    static abstract int Rows { get; }

    /// <summary>Threads of a group that norms one row.</summary>
    static abstract int NormThreads { get; }

    /// <summary>Threads of a group that rotates and stores one head.</summary>
    static abstract int HeadThreads { get; }

    /// <summary>Threads of an elementwise group.</summary>
    static abstract int ElementThreads { get; }

    /// <summary>Threads of an attention group.</summary>
    static abstract int AttentionThreads { get; }

    /// <summary>Partial sums that the weights of one query in one partition are added up in.</summary>
    static abstract int SoftmaxLanes { get; }

    /// <summary>Partial sums that the weighted values of one partition are added up in; they are added in order.</summary>
    static abstract int ValueSplits { get; }
}

/// <summary>Graphics processors: 128-thread groups, a warp to a row. Chosen from what is known of GPUs; not yet measured on one.</summary>
internal readonly struct GpuGroups : IGroups
{
    public static int Lanes => 32;
    public static int Rows => 4;
    public static int NormThreads => 128;
    public static int HeadThreads => 64;
    public static int ElementThreads => 256;
    public static int AttentionThreads => 128;
    public static int SoftmaxLanes => 32;
    public static int ValueSplits => 4;
}

/// <summary>OpenCL graphics processors: as <see cref="GpuGroups"/>, within the 32 KiB of shared memory that all of them have.</summary>
internal readonly struct OpenClGpuGroups : IGroups
{
    public static int Lanes => 32;
    public static int Rows => 4;
    public static int NormThreads => 128;
    public static int HeadThreads => 64;
    public static int ElementThreads => 256;
    public static int AttentionThreads => 128;
    public static int SoftmaxLanes => 32;
    public static int ValueSplits => 2;
}

/// <summary>OpenCL on a processor (PoCL): a group runs on one core, so few lanes a row, and no split that only buys parallelism.</summary>
internal readonly struct HostGroups : IGroups
{
    public static int Lanes => 4;
    public static int Rows => 8;
    public static int NormThreads => 16;
    public static int HeadThreads => 16;
    public static int ElementThreads => 64;
    public static int AttentionThreads => 32;
    public static int SoftmaxLanes => 8;
    public static int ValueSplits => 1;
}

/// <summary>
/// ILGPU's CPU accelerator, where every thread of a group is a thread of the system and a barrier costs microseconds: small groups that still
/// exercise every exchange between lanes.
/// </summary>
internal readonly struct SimulatorGroups : IGroups
{
    public static int Lanes => 2;
    public static int Rows => 2;
    public static int NormThreads => 4;
    public static int HeadThreads => 4;
    public static int ElementThreads => 4;
    public static int AttentionThreads => 4;
    public static int SoftmaxLanes => 2;
    public static int ValueSplits => 2;
}
