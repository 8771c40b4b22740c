using Serilog;

namespace Inference;

/// <summary>Element type of the KV cache.</summary>
public enum KvCacheType
{
    /// <summary>16-bit floats: half the memory and bandwidth, logits within 1e-2 of F32.</summary>
    F16,

    /// <summary>32-bit floats.</summary>
    F32,

    /// <summary>bfloat16: the range of F32 with 8 bits of precision.</summary>
    BF16,

    /// <summary>8 bits and a scale to 32 dims: 53 % of the memory of F16. Head dims must be a multiple of 32.</summary>
    Q8_0,

    /// <summary>4 bits and a scale to 32 dims: 28 % of the memory of F16, at some loss of quality. Head dims must be a multiple of 32.</summary>
    Q4_0,
}

/// <summary>What becomes of a running request whose KV blocks another one needs. It goes on later, with the same answer.</summary>
public enum PreemptionMode
{
    /// <summary>Whatever is estimated to cost less for this model and device.</summary>
    Cheapest,

    /// <summary>Its tokens are computed again, except those that are still cached then.</summary>
    Recompute,

    /// <summary>Its blocks are moved to the swap space in host memory and back; without room there its tokens are computed again.</summary>
    Swap,
}

/// <summary>When a waiting request is let in beside those that run.</summary>
public enum AdmissionMode
{
    /// <summary>Once the KV memory is expected to hold all of them until they end, from their limits of tokens and from how long answers have been so far. Few requests are interrupted, and none for long.</summary>
    Forecast,

    /// <summary>Once the KV memory holds its prompt. It fills the memory to the last block, at the price of interruptions as the answers grow.</summary>
    Eager,
}

/// <summary>How an engine is set up. Everything has a default that suits one user on one machine.</summary>
public sealed record EngineOptions
{
    /// <summary><c>auto</c>, <c>cpu</c>, <c>cuda[:n]</c>, <c>opencl[:n]</c> or <c>ilgpu-cpu</c>. Default <c>auto</c>: a GPU where one is usable, else the processor. A named device that cannot be used is an error.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Instruction set of <c>cpu</c>: <c>avx512vnni</c>, <c>avx512</c>, <c>avx2vnni</c>, <c>avx2</c> or <c>portable</c>. Default null: the best that the processor has.</summary>
    public string? Simd { get; init; }

    /// <summary>Threads of <c>cpu</c>. Default 0: one for each core, since two hardware threads of a core share its vector units.</summary>
    public int Threads { get; init; }

    /// <summary>Type of the KV cache's keys, and of its values where <see cref="KvValueType"/> is not set. Default F16.</summary>
    public KvCacheType KvType { get; init; } = KvCacheType.F16;

    /// <summary>Type of the KV cache's values. Default null: that of the keys.</summary>
    public KvCacheType? KvValueType { get; init; }

    /// <summary>Bytes of KV memory. Default null: room for min(context, 8,192) tokens of 4 sequences, at most a quarter of the available memory.</summary>
    public long? KvMemoryBytes { get; init; }

    /// <summary>KV blocks; wins over <see cref="KvMemoryBytes"/>. Default null.</summary>
    public int? KvBlocks { get; init; }

    /// <summary>
    /// Bytes of host memory for the KV blocks of requests that were preempted. Default null: as much as the KV memory, at most an eighth of the available memory, on <c>cpu</c> too: to copy a token's keys and
    /// values costs far less than to compute them again. It is taken block by block when it is needed first, so an engine that never preempts has none.
    /// </summary>
    public long? SwapMemoryBytes { get; init; }

    /// <summary>When a waiting request is let in. Default <see cref="AdmissionMode.Forecast"/>: about as much throughput as there can be, with answers that do not stall.</summary>
    public AdmissionMode Admission { get; init; } = AdmissionMode.Forecast;

    /// <summary>How a request gives up its KV blocks for another one. Default <see cref="PreemptionMode.Cheapest"/>.</summary>
    public PreemptionMode Preemption { get; init; } = PreemptionMode.Cheapest;

    /// <summary>Tokens in a KV block, a multiple of 16 from 16 to 256. Default 16: least waste, and the block table walk costs nothing measurable.</summary>
    public int BlockSize { get; init; } = 16;

    /// <summary>Longest sequence in tokens, prompt and answer. Default null: the model's context.</summary>
    public int? ContextLength { get; init; }

    /// <summary>Token rows in one step. Default 512: large enough for full prefill speed, small enough that decoding sequences wait little for a neighbour's prompt.</summary>
    public int MaxBatchTokens { get; init; } = 512;

    /// <summary>Longest part of one prompt in one step. Default null: only <see cref="MaxBatchTokens"/> bounds it.</summary>
    public int? MaxPrefillChunk { get; init; }

    /// <summary>Sequences that run at once. Default 64; further requests wait.</summary>
    public int MaxSequences { get; init; } = 64;

    /// <summary>Requests of the same or a higher priority that may wait for their first step; one more is refused at once with a <see cref="QueueFullException"/>. Default null: no limit, since a program knows what it asks for; a server should set it.</summary>
    public int? MaxQueuedRequests { get; init; }

    /// <summary>
    /// Tokens that may wait for the reader of an answer. A request whose reader lags by more is paused until half of them are read; others take its place. Default 1,024: a few hundred kilobytes at most, and
    /// longer than most answers.
    /// </summary>
    public int MaxUnreadTokens { get; init; } = 1024;

    /// <summary>Admits waiting requests by how much of their prompt is cached instead of first come, first served, as long as none waits long. Default false. It computes less where many prompts share a few beginnings.</summary>
    public bool LongestPrefixFirst { get; init; }

    /// <summary>
    /// Keeps what is computed of prompts and answers for requests, and turns of conversations, that begin alike; anyone who needs the room gets it. Default true: it costs
    /// nothing and changes no answer. False: every request computes its whole prompt.
    /// </summary>
    public bool PrefixCaching { get; init; } = true;

    /// <summary>Expands weights to F32 and uses F32 activations and KV: the yardstick for every format. Default false.</summary>
    public bool Exact { get; init; }

    /// <summary>Packs weights into the layout of the kernels at load. Default true; false runs a simple, slower kernel straight over the file map.</summary>
    public bool PackWeights { get; init; } = true;

    /// <summary>
    /// Whether decode on <c>cpu</c> reads the keys and values of a prefix that several running requests have in common once a step for all of them. Default true: answers are bitwise the
    /// same, and less memory is read. False is for measuring what it gains.
    /// </summary>
    public bool SharedPrefixAttention { get; init; } = true;

    /// <summary>Where the engine logs. Default null: silent. What it throws is swallowed: it is called on the engine's thread.</summary>
    public ILogger? Logger { get; init; }

    /// <summary>What to put between the engine and its device; tests let it fail.</summary>
    internal Func<Kernels.KernelSet, Kernels.KernelSet>? WrapKernels { get; init; }

    /// <summary>What decides, in tests, how threads interleave.</summary>
    internal ThreadCrossings? Crossings { get; init; }
}
