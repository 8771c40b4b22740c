using System.Diagnostics;
using Inference.Kernels;
using Inference.KvCache;
using Inference.Models;
using Inference.Models.Templates;
using Inference.Scheduling;
using Serilog;

namespace Inference;

/// <summary>
/// A loaded model that answers any number of concurrent requests: they share its weights, its paged KV memory and its steps. Thread-safe.
/// A request's tokens are the same alone or beside others; at temperature 0 always, with a seed at any temperature.
/// </summary>
public sealed partial class InferenceEngine : IAsyncDisposable
{
    private readonly Device device;
    private readonly ModelFile file;
    private readonly LoadedModel model;
    private readonly Tokenizer tokenizer;
    private readonly EngineLoop loop;
    private readonly ILogger logger;
    private readonly double loadMilliseconds;
    private long nextId;
    private int disposed;

    private InferenceEngine(Device device, ModelFile file, LoadedModel model, Tokenizer tokenizer, ChatTemplate? chatTemplate, EngineLoop loop, int contextLength, int cacheLength, ILogger logger, double loadMilliseconds)
    {
        this.device = device;
        this.file = file;
        this.model = model;
        this.tokenizer = tokenizer;
        this.chatTemplate = chatTemplate;
        this.loop = loop;
        this.logger = logger;
        this.loadMilliseconds = loadMilliseconds;
        ContextLength = contextLength;
        LongestSequence = Math.Min(contextLength, cacheLength);
    }

    /// <summary>Longest sequence in tokens, prompt and answer.</summary>
    public int ContextLength { get; }

    /// <summary>Token ids are below this.</summary>
    public int VocabularySize => model.Spec.Vocabulary;

    /// <summary>The model's own name, or its file's.</summary>
    public string ModelName => model.Name;

    /// <summary>Warnings of the device, for example that it is used in a limited way.</summary>
    public IReadOnlyList<string> Warnings => device.Warnings;

    /// <summary>Tokens that one sequence can have: the context, or what an empty KV pool holds of it.</summary>
    internal int LongestSequence { get; }

    /// <summary>Whether requests share what they have computed.</summary>
    internal bool PrefixCaching { get; init; }

    internal LoadedModel Model => model;
    internal KernelSet Kernels => device.Kernels;
    internal Tokenizer Tokenizer => tokenizer;

    /// <summary>Opens the device, loads the model onto it and starts the engine.</summary>
    /// <param name="source">Which model.</param>
    /// <param name="options">Null: the defaults.</param>
    /// <param name="progress">Hears of the bytes packed so far.</param>
    /// <param name="cancellationToken">Ends loading; nothing stays allocated.</param>
    /// <exception cref="FileNotFoundException">No such file.</exception>
    /// <exception cref="ModelFormatException">The file is damaged, or of a kind that is not supported; the message names file, key, expected and found.</exception>
    /// <exception cref="DeviceUnavailableException">The device that was asked for cannot be used; the message says why.</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="InferenceException">The KV memory holds no block.</exception>
    public static Task<InferenceEngine> LoadAsync(ModelSource source, EngineOptions? options = null, IProgress<LoadProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        options ??= new EngineOptions();
        Validate(options);
        return Task.Run(() => LoadCoreAsync(source, options, progress, cancellationToken), cancellationToken);
    }

    private static async Task<InferenceEngine> LoadCoreAsync(ModelSource source, EngineOptions options, IProgress<LoadProgress>? progress, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        ILogger logger = options.Logger is { } given ? new GuardedLogger(given) : Serilog.Core.Logger.None;
        string path = source.Resolve();
        Device device = DeviceCatalog.Open(new DeviceOptions { Name = options.Device, Simd = options.Simd, Threads = options.Threads, Pack = options.PackWeights, SharePrefixes = options.SharedPrefixAttention });
        if (options.WrapKernels is { } wrap) device = new Device(device.Name, device.Description, wrap(device.Kernels), device.Warnings, device);
        ModelFile? file = null;
        LoadedModel? model = null;
        KvPages? pages = null;
        StepRunner? runner = null;
        try
        {
            foreach (string warning in device.Warnings) logger.Warning("{Device}: {Warning}", device.Name, warning);
            file = ModelFile.Open(path);
            // A vocabulary of 150,000 tokens takes as long as packing a small model: both at once.
            Task<(Tokenizer, ChatTemplate?)> vocabulary = Task.Run(() => (file.ReadTokenizer(), file.ReadChatTemplate()), CancellationToken.None);
            try
            {
                model = LoadedModel.Load(file, device.Kernels, new LoadOptions(options.Exact, progress is null ? null : new ProgressAdapter(progress)), cancellationToken);
            }
            finally
            {
                // The map must outlive its reader, whatever became of the weights.
                await Task.WhenAny(vocabulary).ConfigureAwait(false);
            }
            (Tokenizer tokenizer, ChatTemplate? template) = await vocabulary.ConfigureAwait(false);
            int context = options.ContextLength ?? model.Spec.Context;
            if (context > model.Spec.Context)
                throw new ArgumentOutOfRangeException(nameof(options), context, $"the context may be at most the model's {model.Spec.Context} tokens");

            KvLayout layout = CacheLayout(options, model);
            int blocks = KvSizing.Blocks(options, layout, context);
            // No table is longer than the pool, whatever context a file claims.
            int longest = (int)Math.Min(context, (long)blocks * options.BlockSize);
            int rows = Math.Max(options.MaxBatchTokens, 1), sequences = options.MaxSequences;
            pages = device.Kernels.AllocatePages(layout, blocks);
            bool onHost = device.Kernels.Name == "cpu";
            int swapBlocks = KvSizing.SwapBlocks(options, pages.BytesPerBlock, blocks);
            runner = new StepRunner(model, tokenizer.EndOfGeneration, device.Kernels, pages, swapBlocks,
                new StepCapacity(rows, sequences, (int)(((long)longest + options.BlockSize - 1) / options.BlockSize), model.Spec.Rope.Dims));
            var allocator = new KvAllocator([new CacheGroup(layout.Layers, CacheKind.Full, options.BlockSize, blocks)], sequences, context, [swapBlocks]);
            var scheduler = new Scheduler(allocator, new SchedulerOptions
            {
                MaxBatchTokens = rows,
                MaxChunk = options.MaxPrefillChunk ?? int.MaxValue,
                LongestPrefixFirst = options.LongestPrefixFirst,
                Admission = options.Admission,
                Preemption = options.Preemption,
                SwapCost = KvSizing.SwapCost(onHost, pages.BytesPerBlock / options.BlockSize, model.ParameterCount),
            });
            double milliseconds = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
            logger.Information("Loaded {Model} on {Device} in {Milliseconds:F0} ms: {Blocks} KV blocks of {BlockSize} tokens, {Bytes} bytes",
                model.Name, device.Name, milliseconds, blocks, options.BlockSize, layout.BytesPerBlock * blocks);
            // Weights that are not packed are read from the map for as long as the engine lives.
            if (options.PackWeights) file.Dispose();
            var loop = new EngineLoop(scheduler, allocator, runner, options, new EngineTelemetry(model.Name, device.Name, logger), logger);
            LoadedModel loaded = model;
            return new InferenceEngine(device, file, model, tokenizer, template, loop, context, allocator.Capacity, logger, milliseconds)
            {
                PrefixCaching = options.PrefixCaching,
                Prefixes = new PrefixStore(loop, allocator, device.Kernels, pages, new(() => PrefixFingerprint.Of(path, loaded, device.Kernels, layout, options.Exact))),
            };
        }
        catch
        {
            // The runner owns the pages once there is one.
            if (runner is null) pages?.Dispose();
            runner?.Dispose();
            model?.Dispose();
            file?.Dispose();
            device.Dispose();
            throw;
        }
    }

    /// <summary>Pages for this model under these options.</summary>
    internal KvLayout CacheLayout(EngineOptions options) => CacheLayout(options, model);

    private static KvLayout CacheLayout(EngineOptions options, LoadedModel model)
    {
        KvType key = options.Exact ? KvType.F32 : TypeOf(options.KvType), value = options.Exact ? KvType.F32 : TypeOf(options.KvValueType ?? options.KvType);
        return model.Spec.CacheLayout(options.BlockSize, key, value);

        static KvType TypeOf(KvCacheType type) => type switch
        {
            KvCacheType.F16 => KvType.F16,
            KvCacheType.F32 => KvType.F32,
            KvCacheType.BF16 => KvType.BF16,
            KvCacheType.Q8_0 => KvType.Q8_0,
            KvCacheType.Q4_0 => KvType.Q4_0,
            _ => throw new ArgumentOutOfRangeException(nameof(options), type, "the KV type must be one of KvCacheType"),
        };
    }

    private sealed class ProgressAdapter(IProgress<LoadProgress> progress) : IProgress<Models.LoadProgress>
    {
        public void Report(Models.LoadProgress value) => progress.Report(new LoadProgress(value.Bytes, value.TotalBytes));
    }

    private static void Validate(EngineOptions options)
    {
        Require(options.Threads is >= 0 and <= 1024, nameof(options.Threads), options.Threads, "from 0 to 1024");
        Require(options.BlockSize is >= 16 and <= 256 && options.BlockSize % 16 == 0, nameof(options.BlockSize), options.BlockSize, "a multiple of 16 from 16 to 256");
        Require(options.KvBlocks is null or >= 1, nameof(options.KvBlocks), options.KvBlocks, "at least 1");
        Require(options.KvMemoryBytes is null or >= 1, nameof(options.KvMemoryBytes), options.KvMemoryBytes, "at least 1");
        Require(options.MaxQueuedRequests is null or >= 1, nameof(options.MaxQueuedRequests), options.MaxQueuedRequests, "at least 1");
        Require(options.MaxUnreadTokens >= 1, nameof(options.MaxUnreadTokens), options.MaxUnreadTokens, "at least 1");
        Require(options.SwapMemoryBytes is null or >= 0, nameof(options.SwapMemoryBytes), options.SwapMemoryBytes, "at least 0");
        Require(options.ContextLength is null or >= 1, nameof(options.ContextLength), options.ContextLength, "at least 1");
        Require(options.MaxBatchTokens is >= 1 and <= 1 << 16, nameof(options.MaxBatchTokens), options.MaxBatchTokens, "from 1 to 65536");
        Require(options.MaxPrefillChunk is null or >= 1, nameof(options.MaxPrefillChunk), options.MaxPrefillChunk, "at least 1");
        Require(options.MaxSequences is >= 1 and <= 1 << 14, nameof(options.MaxSequences), options.MaxSequences, "from 1 to 16384");

        static void Require(bool condition, string name, object? value, string expected)
        {
            if (!condition) throw new ArgumentOutOfRangeException(name, value, $"{name} must be {expected}");
        }
    }

    /// <summary>Begins to answer a prompt. The request runs from this call on, whether or not it is enumerated yet; call again for concurrent answers.</summary>
    /// <param name="prompt">Text; the model's begin-of-text token is put in front where the model wants one.</param>
    /// <param name="options">Null: the defaults, greedy and up to 256 tokens.</param>
    /// <param name="cancellationToken">Ends the request; its memory is free before the next step.</param>
    /// <exception cref="ArgumentException">An option is out of its range, or the prompt has no tokens.</exception>
    /// <exception cref="QueueFullException">As many requests wait as may.</exception>
    /// <exception cref="ObjectDisposedException">The engine was disposed.</exception>
    public Generation GenerateAsync(string prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        options ??= new GenerationOptions();
        return GenerateAsync(tokenizer.Encode(prompt, addSpecial: true, parseSpecial: options.ParseSpecialTokens), options, cancellationToken);
    }

    /// <summary>Begins to answer a prompt given as token ids, taken as they are.</summary>
    /// <inheritdoc cref="GenerateAsync(string, GenerationOptions?, CancellationToken)"/>
    public Generation GenerateAsync(IReadOnlyList<int> prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return Generate(prompt, options ?? new GenerationOptions(), spelled: null, cancellationToken);
    }

    /// <summary>The one way into the engine for a single answer.</summary>
    /// <param name="prompt">Token ids.</param>
    /// <param name="options">How to sample.</param>
    /// <param name="spelled">Special tokens whose spelling is text of the answer; null for none.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    internal Generation Generate(IReadOnlyList<int> prompt, GenerationOptions options, IReadOnlySet<int>? spelled, CancellationToken cancellationToken)
    {
        int[] ids = Check(prompt, options);
        if (options.Samples != 1) throw new ArgumentException($"{nameof(GenerationOptions.Samples)} is {options.Samples}: several samples come from {nameof(GenerateSamplesAsync)}", nameof(options));
        return Submit(ids, options, Seed(options), spelled, sibling: null, cancellationToken).Generation;
    }

    private int[] Check(IReadOnlyList<int> prompt, GenerationOptions options)
    {
        ObjectDisposedException.ThrowIf(disposed != 0, this);
        options.Validate(VocabularySize);
        if (prompt.Count == 0) throw new ArgumentException("the prompt has no tokens", nameof(prompt));
        foreach (int id in prompt)
            if ((uint)id >= (uint)VocabularySize) throw new ArgumentOutOfRangeException(nameof(prompt), id, $"token ids lie between 0 and {VocabularySize - 1}");
        return [.. prompt];
    }

    private static ulong Seed(GenerationOptions options) => options.Seed ?? (ulong)Random.Shared.NextInt64(long.MinValue, long.MaxValue); // no secret: a cryptographic one would load OpenSSL for it

    private Request Submit(int[] prompt, GenerationOptions options, ulong seed, IReadOnlySet<int>? spelled, Request? sibling, CancellationToken cancellationToken)
    {
        var request = new Request(Interlocked.Increment(ref nextId), prompt, options, tokenizer, tokenizer.EndOfGeneration, seed, loop.Control, PrefixRoot(options), spelled, sibling);
        // First, so that a request that is cancelled already computes nothing.
        if (cancellationToken.CanBeCanceled) request.Watch(cancellationToken, loop.Cancel);
        try
        {
            loop.Submit(request);
        }
        catch (QueueFullException e)
        {
            request.End(FinishReason.Error, e);
            throw;
        }
        return request;
    }

    /// <summary>Requests of one salt share what they have computed; null where nothing is shared.</summary>
    private PrefixKey? PrefixRoot(GenerationOptions options) => PrefixCaching ? options.CacheSalt is { } salt ? PrefixChain.Root(salt) : default(PrefixKey) : null;

    /// <summary>What the engine has done so far.</summary>
    public EngineStatistics GetStatistics()
    {
        var (scheduler, running, waiting, paused, blocks, prefill, decode, totals, _, _) = loop.Statistics;
        return new EngineStatistics
        {
            Device = device.Name,
            Steps = scheduler.Steps,
            MixedSteps = scheduler.MixedSteps,
            PrefillChunks = scheduler.PrefillChunks,
            Preemptions = scheduler.Preemptions,
            SwapPreemptions = scheduler.SwapPreemptions,
            Forks = scheduler.Forks,
            KvBlocksTotal = scheduler.KvBlocksTotal,
            KvBlocksPeak = scheduler.KvBlocksPeak,
            KvBlocksUsed = blocks.Used,
            KvBlocksCached = blocks.Cached,
            Evictions = scheduler.Evictions,
            CachedTokens = scheduler.CachedTokens,
            PrefillTokens = prefill.Tokens,
            PrefillSeconds = prefill.Seconds,
            DecodeTokens = decode.Tokens,
            DecodeSeconds = decode.Seconds,
            SequenceSteps = totals.Running,
            RunningPeak = totals.PeakRunning,
            PromptRows = totals.PromptRows,
            KvSlotSteps = totals.Slots,
            KvUnusedSlotSteps = totals.UnusedSlots,
            StepSeconds = totals.Seconds,
            ForwardSeconds = totals.ForwardSeconds,
            LoadMilliseconds = loadMilliseconds,
            CompileMilliseconds = device.Kernels.CompileMilliseconds,
            Running = running,
            Waiting = waiting,
            Paused = paused,
        };
    }

    /// <summary>Checks the allocator's invariants between two steps, and counts its blocks.</summary>
    /// <exception cref="KvInvariantException">One does not hold.</exception>
    internal Task<KvStatistics> VerifyAsync() => loop.VerifyAsync();

    /// <summary>Counts <see cref="EngineStatistics.RunningPeak"/> from now on.</summary>
    internal Task ResetPeakAsync() => loop.ResetPeakAsync();

    /// <summary>Stops the engine: running requests end with an error, and all memory is freed.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0) return;
        await Task.Run(() =>
        {
            loop.Dispose();
            model.Dispose();
            file.Dispose();
            device.Dispose();
        }).ConfigureAwait(false);
        logger.Information("Disposed the engine of {Model}", model.Name);
    }
}
