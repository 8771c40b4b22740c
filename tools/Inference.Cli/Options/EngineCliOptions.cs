using System.CommandLine;

namespace Inference.Cli;

/// <summary>The engine's options on the command line. Defaults live in <see cref="EngineOptions"/> alone.</summary>
internal sealed class EngineCliOptions
{
    private readonly DeviceCliOptions device = new();
    private readonly Option<KvCacheType[]?> kvType = CliOption.Single<KvCacheType[]?>("--kv-type", "K[,V]", "Type of the KV cache, or of keys and values apart: f32, f16, bf16, q8_0, q4_0. Default f16.",
        "f32, f16, bf16, q8_0 or q4_0, or two of them for keys and values, such as q8_0,q4_0", ReadKvTypes);
    private readonly Option<int?> blockSize = CliOption.Integer("--block-size", "Tokens in a KV block, a multiple of 16. Default 16.", 16, 256);
    private readonly Option<int?> maxBatchTokens = CliOption.Integer("--max-batch-tokens", "Token rows in one step. Default 512.", 1, 65536);
    private readonly Option<bool> exact = CliOption.Flag("--exact", "Expand weights to F32 and compute with F32 activations and KV: the yardstick, slow and large.");
    private readonly Option<bool> noSharedAttention = CliOption.Flag("--no-shared-attention", "Read the KV of a common prefix for each sequence anew: slower, to measure the difference.");
    private readonly Option<bool> noPack = CliOption.Flag("--no-pack", "Compute straight from the file instead of packing weights at load: slower.");
    private readonly Option<bool> noPrefixCache = CliOption.Flag("--no-prefix-cache", "Compute every prompt from its beginning, also where an earlier one began alike.");
    private readonly Option<long?> kvMemory = CliOption.Bytes("--kv-memory", "KV memory, for example 512M or 2G. Default: room for 4 sequences of up to 8,192 tokens, at most a quarter of the memory.");
    private readonly Option<int?> kvBlocks = CliOption.Integer("--kv-blocks", "KV memory as a number of blocks.", 1);
    private readonly Option<long?> swapMemory = CliOption.Bytes("--swap-memory", "Host memory for the KV blocks of preempted sequences, for example 512M. Default: as much as the KV memory, at most an eighth of the memory; taken when it is needed.");
    private readonly Option<string?> admission = CliOption.Choice("--admission", "forecast: a waiting sequence is let in once the KV memory will hold all to their ends, as far as can be foreseen; eager: once it holds the prompt. Default forecast.", "forecast", "eager");
    private readonly Option<PreemptionMode?> preemption = CliOption.Single<PreemptionMode?>("--preemption", "cheapest|recompute|swap", "What becomes of a sequence whose KV blocks another one needs. Default cheapest.", "cheapest, recompute or swap", ReadPreemption);
    private readonly Option<int?> context = CliOption.Integer("--context", "Longest sequence in tokens, prompt and answer. Default: the model's own.", 1);
    private readonly Option<int?> maxSequences = CliOption.Integer("--max-sequences", "Sequences that run at once; others wait. Default 64.", 1, 16384);
    private readonly Option<int?> maxChunk = CliOption.Integer("--max-chunk", "Longest part of one prompt in one step. Default: only --max-batch-tokens bounds it.", 1);

    /// <summary>Adds the options. Without <paramref name="sizes"/> the command sizes KV memory and concurrency itself.</summary>
    public void AddTo(Command command, bool sizes)
    {
        device.AddTo(command);
        Option[] options = sizes ? [kvType, kvMemory, kvBlocks, swapMemory, admission, preemption, blockSize, context, maxBatchTokens, maxChunk, maxSequences, exact, noPack, noPrefixCache, noSharedAttention] : [kvType, blockSize, maxBatchTokens, exact, noPack, noPrefixCache, noSharedAttention];
        foreach (Option option in options) command.Add(option);
    }

    public EngineOptions Read(ParseResult parsed)
    {
        EngineOptions options = device.Read(parsed);
        int block = parsed.GetValue(blockSize) ?? options.BlockSize;
        if (block % 16 != 0) throw new UsageException($"--block-size must be a multiple of 16 from 16 to 256, not '{block}'");
        long? bytes = parsed.GetValue(kvMemory);
        int? blocks = parsed.GetValue(kvBlocks);
        if (bytes is not null && blocks is not null) throw new UsageException("--kv-memory and --kv-blocks exclude each other");
        KvCacheType[] types = parsed.GetValue(kvType) is { Length: > 0 } given ? given : [options.KvType];
        return options with
        {
            KvType = types[0],
            KvValueType = types[^1],
            BlockSize = block,
            KvMemoryBytes = bytes,
            KvBlocks = blocks,
            SwapMemoryBytes = parsed.GetValue(swapMemory),
            Admission = parsed.GetValue(admission) == "eager" ? AdmissionMode.Eager : options.Admission,
            Preemption = parsed.GetValue(preemption) ?? options.Preemption,
            ContextLength = parsed.GetValue(context),
            MaxBatchTokens = parsed.GetValue(maxBatchTokens) ?? options.MaxBatchTokens,
            MaxPrefillChunk = parsed.GetValue(maxChunk),
            MaxSequences = parsed.GetValue(maxSequences) ?? options.MaxSequences,
            Exact = parsed.GetValue(exact),
            PrefixCaching = !parsed.GetValue(noPrefixCache),
            PackWeights = !parsed.GetValue(noPack),
            SharedPrefixAttention = !parsed.GetValue(noSharedAttention),
            Logger = CommonOptions.Logger(parsed),
        };
    }

    private static bool ReadKvTypes(string text, out KvCacheType[]? types)
    {
        KvCacheType?[] read = [.. text.Split(',').Select(name => (KvCacheType?)(name switch
        {
            "f32" => KvCacheType.F32,
            "f16" => KvCacheType.F16,
            "bf16" => KvCacheType.BF16,
            "q8_0" => KvCacheType.Q8_0,
            "q4_0" => KvCacheType.Q4_0,
            _ => null,
        }))];
        types = [.. read.OfType<KvCacheType>()];
        return read.Length is 1 or 2 && types.Length == read.Length;
    }

    private static bool ReadPreemption(string text, out PreemptionMode? mode)
    {
        mode = text switch { "cheapest" => PreemptionMode.Cheapest, "recompute" => PreemptionMode.Recompute, "swap" => PreemptionMode.Swap, _ => null };
        return mode is not null;
    }
}
