using Inference.Kernels;
using Inference.KvCache;
using Inference.Tests.Shared;

namespace Inference.Tests.Faults;

/// <summary>A device that fails in the middle of a step, or has no memory left: the step's requests end with a typed error, all others have the answers that they always have.</summary>
public class DeviceFaultTests
{
    private sealed class DeviceLostException() : Exception("the device is lost");

    private static readonly string[] Prompts = ["In the beginning", "And it came to pass in those days, that there went out a decree", "The LORD is my shepherd; I shall not want.", "Blessed are the"];

    // Three run at once in room for less than two: blocks are swapped, and samples fork.
    private static EngineOptions Setup(Fault fault) => new()
    {
        Device = "cpu",
        Threads = 1,
        KvBlocks = 8,
        Admission = AdmissionMode.Eager,
        ContextLength = 96,
        MaxSequences = 3,
        MaxBatchTokens = 24,
        Preemption = PreemptionMode.Swap,
        SwapMemoryBytes = 8 << 20,
        PrefixCaching = false,
        WrapKernels = kernels => new FaultyKernels(kernels, fault.Before),
    };

    /// <summary>[sample] the answers of every request: the hashes, or the error.</summary>
    private static async Task<(string Hashes, Exception? Error)[]> RunAsync(InferenceEngine engine)
    {
        List<Generation> generations = [];
        for (int i = 0; i < 8; i++)
            generations.AddRange(engine.GenerateSamplesAsync(Prompts[i % 4], new GenerationOptions { MaxTokens = 30 + i, Temperature = 0.8f, Seed = (ulong)i, Samples = 1 + i % 3, IgnoreEos = true, LogitHash = true }));
        return await Task.WhenAll(generations.Select(async generation =>
        {
            try
            {
                return (string.Join(' ', (await TestEngine.CollectAsync(generation)).Select(t => t.LogitHash)), (Exception?)null);
            }
            catch (InferenceException e)
            {
                return ("", e);
            }
        }));
    }

    private static async Task VerifyIdleAsync(InferenceEngine engine)
    {
        KvStatistics blocks = await engine.VerifyAsync();
        Assert.Equal((8, 0), (blocks.Total, blocks.Used));
        Assert.Equal((0, 0), (engine.GetStatistics().Running, engine.GetStatistics().Waiting));
    }

    [Fact]
    public async Task A_step_that_fails_at_any_operation_ends_its_own_requests_alone()
    {
        var fault = new Fault();
        await using InferenceEngine engine = await TestEngine.LoadAsync(Setup(fault));
        (string Hashes, Exception? Error)[] expected = await RunAsync(engine);
        Assert.All(expected, answer => Assert.Null(answer.Error));
        Assert.InRange(engine.GetStatistics().SwapPreemptions, 1, long.MaxValue);
        Assert.InRange(engine.GetStatistics().Forks, 1, long.MaxValue);
        int failed = 0, whole = 0, faults = 0;
        foreach (string operation in (string[])["CopyBlock", "ReadBlock", "WriteBlock", "Upload", "Embed", "NormLinear", "QkvRopeWrite", "PagedAttention", "LinearAdd", "GateUpLinearAdd", "Logits", "Download"])
        {
            foreach (int call in (int[])[1, operation.EndsWith("Block", StringComparison.Ordinal) ? 2 : 40])
            {
                Func<Exception> make = faults % 2 == 0 ? () => new DeviceLostException() : () => new OutOfMemoryException();
                fault.Arm(operation, call, make);
                (string Hashes, Exception? Error)[] answers = await RunAsync(engine);
                fault.Disarm();
                Assert.Equal(++faults, fault.Fired);
                int before = failed;
                for (int i = 0; i < answers.Length; i++)
                {
                    if (answers[i].Error is { } error)
                    {
                        failed++;
                        Assert.IsType(make().GetType(), error.InnerException);
                    }
                    else
                    {
                        whole++;
                        Assert.Equal(expected[i].Hashes, answers[i].Hashes);
                    }
                }
                Assert.InRange(failed - before, 1, answers.Length - 1);
                await VerifyIdleAsync(engine);
            }
        }
        Assert.Equal(expected, await RunAsync(engine));
        await VerifyIdleAsync(engine);
        ConformanceLog.Write("faults-device", $"{faults} failed steps at 12 operations: {failed} requests ended with a typed error, {whole} others with their own answers, 0 blocks leaked");
    }

    [Theory]
    [InlineData("LoadWeight", 5)]
    [InlineData("AllocatePages", 1)]
    [InlineData("AllocateActivations", 4)]
    public async Task A_device_without_memory_refuses_to_load_and_the_next_attempt_works(string operation, int call)
    {
        var fault = new Fault();
        fault.Arm(operation, call, () => new OutOfMemoryException());
        await Assert.ThrowsAsync<OutOfMemoryException>(() => InferenceEngine.LoadAsync(ModelSource.Sample, Setup(fault)));
        await using InferenceEngine engine = await TestEngine.LoadAsync(Setup(fault));
        Assert.NotEmpty(await engine.GenerateAsync(Prompts[0]).GetTextAsync());
    }

    [Fact]
    public async Task Scratch_memory_that_cannot_grow_in_a_step_fails_the_step_and_grows_later()
    {
        string operation = "";
        Action<long>? refuse = null;
        int refused = 0;
        // The kernels are the real ones, and so are their buffers: only what they allocate during the operation is refused.
        await using InferenceEngine engine = await TestEngine.LoadAsync(new EngineOptions
        {
            Device = "cpu",
            Threads = 2,
            ContextLength = 512,
            MaxSequences = 4,
            PrefixCaching = false,
            WrapKernels = kernels => new FaultyKernels(kernels, name => NativeBuffer.Allocating = name == operation ? refuse : null),
        });
        string[] texts = [Prompts[0], string.Concat(Enumerable.Repeat(Prompts[1] + ". ", 3)), string.Concat(Enumerable.Repeat(Prompts[1] + ". ", 12))];
        refuse = _ => throw new OutOfMemoryException($"refused {Interlocked.Increment(ref refused)}");
        Task<List<GeneratedToken>> AnswerAsync(string text) => TestEngine.CollectAsync(engine.GenerateAsync(text, new GenerationOptions { MaxTokens = 6, IgnoreEos = true, LogitHash = true }));
        int failed = 0;
        List<ulong?[]> answers = [];
        foreach (string name in (string[])["NormLinear", "QkvRopeWrite", "PagedAttention", "LinearAdd", "GateUpLinearAdd", "Logits"])
        {
            foreach (string text in texts)
            {
                operation = name;
                // What has been large enough before does not grow, and the step succeeds.
                try
                {
                    await AnswerAsync(text);
                }
                catch (InferenceException e) when (e.InnerException is OutOfMemoryException)
                {
                    failed++;
                }
                // Short before long: memory that failed to grow must not be taken for what it was.
                operation = "";
                answers.Add([.. (await AnswerAsync(texts[0])).Select(t => t.LogitHash)]);
            }
        }
        Assert.InRange(failed, 3, refused);
        Assert.All(answers, answer => Assert.Equal(answers[0], answer));
        await using InferenceEngine other = await TestEngine.LoadAsync(new EngineOptions { Device = "cpu", Threads = 1 });
        Assert.Equal((await TestEngine.CollectAsync(other.GenerateAsync(texts[2], new GenerationOptions { MaxTokens = 6, IgnoreEos = true, LogitHash = true }))).Select(t => t.LogitHash), (await AnswerAsync(texts[2])).Select(t => t.LogitHash));
    }

    [Fact]
    public async Task A_prefix_that_cannot_be_saved_or_loaded_fails_its_call_alone()
    {
        string folder = Directory.CreateTempSubdirectory("inference-fault").FullName, file = Path.Combine(folder, "prompt.kv");
        try
        {
            var fault = new Fault();
            await using InferenceEngine engine = await TestEngine.LoadAsync(Setup(fault) with { PrefixCaching = true });
            string prompt = Prompts[1] + " from Caesar Augustus, that all the world should be taxed.";
            var options = new GenerationOptions { MaxTokens = 40, IgnoreEos = true, LogitHash = true };
            async Task<IEnumerable<ulong?>> AnswerAsync() => (await TestEngine.CollectAsync(engine.GenerateAsync(Prompts[2], options))).Select(t => t.LogitHash);
            IEnumerable<ulong?> expected = await AnswerAsync();
            await engine.SavePrefixAsync(file, prompt);
            byte[] saved = File.ReadAllBytes(file);
            static async Task FailsAsync(Task call) => Assert.IsType<DeviceLostException>((await Assert.ThrowsAsync<InferenceException>(() => call)).InnerException);
            Task<IEnumerable<ulong?>> neighbour = AnswerAsync();
            // The folder is gone: the disk refuses the write.
            await Assert.ThrowsAnyAsync<IOException>(() => engine.SavePrefixAsync(Path.Combine(folder, "gone", "prompt.kv"), prompt));
            fault.Arm("ReadBlock", 2, () => new DeviceLostException());
            await FailsAsync(engine.SavePrefixAsync(file, prompt));
            Assert.Equal(expected, await neighbour);
            Assert.Equal(saved, File.ReadAllBytes(file));
            Assert.Equal([file], Directory.GetFiles(folder));
            fault.Arm("WriteBlock", 2, () => new DeviceLostException());
            await FailsAsync(engine.LoadPrefixAsync(file, "tenant"));
            await VerifyIdleAsync(engine);
            Assert.Equal(expected, await AnswerAsync());
            // What was written before the failure is found, and nothing after it.
            Generation other = engine.GenerateAsync(prompt, options with { CacheSalt = "tenant", MaxTokens = 1 });
            await other.GetTextAsync();
            Assert.InRange(other.CachedTokens, 0, 16);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
