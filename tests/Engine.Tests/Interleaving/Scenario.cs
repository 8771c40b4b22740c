using Inference.KvCache;
using Inference.Models.Tests;
using Inference.Tests.Diagnostics;
using Inference.Tests.Faults;

namespace Inference.Tests.Interleaving;

/// <summary>What happened in all scenarios.</summary>
internal sealed class ScenarioCounts
{
    public long Schedules, Switches, Whole, Left, Cancelled, Thrown, Broken, Full, Failed, Disposed, Gone, Saved, Loaded, Disposals, Faults, Forks, Preemptions, Swaps, Cached;

    public Dictionary<string, long> Places { get; } = [];

    public override string ToString() =>
        $"{Schedules} schedules with {Switches} switches of threads: {Whole} answers whole, {Left} left, {Cancelled} cancelled, {Thrown} readers threw, {Broken} options threw, {Full} refused by a full queue, {Failed} in {Faults} failed steps, " +
        $"{Disposed} ended and {Gone} refused by {Disposals} disposals; {Saved} prefixes saved and {Loaded} loaded, {Forks} forks, {Preemptions} preemptions ({Swaps} by swap), {Cached} tokens found";
}

/// <summary>A few clients of an engine with little memory, drawn from a seed; what they do is interleaved by the same seed.</summary>
internal sealed class Scenario(int seed, HashModel model, ScenarioCounts counts)
{
    private sealed class DeviceLostException() : Exception("the device is lost");

    /// <summary>A call that submits, in decisions of the interleaver: others that had not ended when it began.</summary>
    private sealed class Call(int start, int open)
    {
        public int Start { get; } = start;
        public int End { get; set; } = int.MaxValue;
        public int Open { get; } = open;
        public int Taken { get; set; }
        public bool Refused { get; set; }
    }

    private readonly Random random = new(seed);
    private readonly Interleaver interleaver = new(seed);
    private readonly Fault fault = new();
    private readonly LogSink log = new();
    private readonly List<Generation> generations = [];
    private readonly List<Call> calls = [];
    private readonly List<CancellationTokenSource> sources = [];
    private InferenceEngine engine = null!;
    private EngineOptions options = null!;
    private int submitting;
    private bool disposing, faulty, exactCount = true;

    public int Fingerprint => interleaver.Fingerprint;

    public async Task RunAsync()
    {
        options = new EngineOptions
        {
            Device = "cpu",
            Threads = 1,
            ContextLength = 96,
            KvBlocks = random.Next(6, 12),
            MaxSequences = random.Next(2, 5),
            MaxBatchTokens = random.Next(8, 40),
            MaxPrefillChunk = random.Next(2) == 0 ? random.Next(3, 20) : null,
            MaxUnreadTokens = random.Next(1, 6),
            MaxQueuedRequests = random.Next(2) == 0 ? random.Next(1, 4) : null,
            Preemption = (PreemptionMode)random.Next(3),
            SwapMemoryBytes = random.Next(4) == 0 ? 0 : 1 << 20,
            PrefixCaching = random.Next(5) > 0,
            LongestPrefixFirst = random.Next(2) == 0,
            Logger = log.Logger,
            WrapKernels = _ => new HashKernels(fault.Before),
            Crossings = interleaver,
        };
        engine = await InferenceEngine.LoadAsync(model.Source, options);
        List<(string, Func<Task>)> clients = [.. Enumerable.Range(0, random.Next(2, 6)).Select(i => ($"client {i}", Client(new Random(random.Next()))))];
        if (random.Next(3) == 0) clients.Add(("canceller", Canceller(random.Next(30))));
        if (disposing = random.Next(3) == 0) clients.Add(("disposer", Disposer(random.Next(60))));
        if (faulty = random.Next(4) == 0)
            fault.Arm(random.Next(4) switch { 0 => "CopyBlock", 1 => "ReadBlock", 2 => "WriteBlock", _ => random.Next(2) == 0 ? "Upload" : "Logits" }, random.Next(1, 12), () => new DeviceLostException());
        try
        {
            interleaver.Run(clients);
            await CheckEndAsync();
        }
        catch (Exception e)
        {
            throw new InterleavingException($"seed {seed}: {e.Message}\n{e.StackTrace}");
        }
        finally
        {
            await engine.DisposeAsync();
            foreach (CancellationTokenSource source in sources) source.Dispose();
        }
        CheckEndedOnce();
        CheckRefusals();
        Count();
    }

    private Func<Task> Client(Random own) => async () =>
    {
        for (int i = own.Next(1, 4); i > 0; i--)
        {
            try
            {
                await OneAsync(own);
            }
            catch (ObjectDisposedException) when (disposing)
            {
                Interlocked.Increment(ref counts.Gone);
            }
            catch (InferenceException e) when (disposing && e.Message == "the engine was disposed")
            {
                counts.Disposed++;
            }
        }
    };

    private Func<Task> Canceller(int delay) => () =>
    {
        for (int i = 0; i < 3; i++)
        {
            Pass(delay);
            // The newest is most likely on its way.
            if (sources.Count > 0) sources[^1].Cancel();
        }
        return Task.CompletedTask;
    };

    private Func<Task> Disposer(int delay) => async () =>
    {
        Pass(delay);
        await engine.DisposeAsync();
        counts.Disposals++;
    };

    /// <summary>Lets others go on.</summary>
    private void Pass(int times)
    {
        for (; times > 0; times--) interleaver.Reach("pass");
    }

    private async Task OneAsync(Random own)
    {
        int kind = own.Next(24);
        int[] prompt = [.. Enumerable.Range(0, own.Next(1, 45)).Select(i => (i * i + i / 7) % TinyModel.Vocabulary)];
        var request = new GenerationOptions
        {
            MaxTokens = own.Next(1, 12),
            Temperature = own.Next(2),
            Seed = (ulong)own.Next(3),
            Samples = own.Next(4) == 0 ? own.Next(2, 4) : 1,
            IgnoreEos = true,
            LogitHash = true,
            CacheSalt = own.Next(5) == 0 ? "salt" : null,
            LogitBias = kind == 0 ? new BadBias(own.Next(2, 8)) : null,
        };
        if (kind == 1 && options.PrefixCaching)
        {
            await SaveAndLoadAsync(prompt, request);
            return;
        }
        if (kind == 2)
        {
            await engine.VerifyAsync();
            return;
        }
        var source = new CancellationTokenSource();
        sources.Add(source);
        if (kind == 10) await source.CancelAsync();
        IReadOnlyList<Generation>? answers = Submit(prompt, request, source.Token);
        if (answers is null) return;
        if (kind is 3 or 4)
        {
            // It never reads.
            Pass(own.Next(60));
            await source.CancelAsync();
            return;
        }
        int leaveAt = kind is 5 or 6 ? own.Next(8) : -1, cancelAt = kind is 7 or 8 ? own.Next(8) : -1, throwAt = kind is 9 ? own.Next(8) : -1;
        for (int sample = 0; sample < answers.Count; sample++)
        {
            (int Token, ulong Hash)[] expected = HashModel.Alone(prompt, request with { Samples = 1, SampleIndex = sample, LogitBias = null });
            await ReadAsync(answers[sample], expected, source, leaveAt, cancelAt, throwAt, kind == 0);
        }
    }

    private IReadOnlyList<Generation>? Submit(int[] prompt, GenerationOptions request, CancellationToken token)
    {
        // One that is cancelled on its way in has its place until the engine has taken both commands.
        var call = new Call(interleaver.Steps, generations.Count(g => g.FinishReason is null or FinishReason.Cancelled));
        calls.Add(call);
        submitting += request.Samples;
        try
        {
            IReadOnlyList<Generation> answers = engine.GenerateSamplesAsync(prompt, request, token);
            generations.AddRange(answers);
            call.Taken = answers.Count;
            return answers;
        }
        catch (QueueFullException e) when (options.MaxQueuedRequests == e.Limit)
        {
            counts.Full++;
            call.Refused = true;
            // Of several samples some may have been taken; they are cancelled, and run until the engine hears of it.
            exactCount &= request.Samples == 1;
            return null;
        }
        finally
        {
            submitting -= request.Samples;
            call.End = interleaver.Steps;
        }
    }

    private async Task ReadAsync(Generation answer, (int Token, ulong Hash)[] expected, CancellationTokenSource source, int leaveAt, int cancelAt, int throwAt, bool bad)
    {
        int next = 0;
        bool ended = false;
        try
        {
            await foreach (GeneratedToken token in answer)
            {
                Interleaver.Require(!ended, "a token came after the last one");
                Interleaver.Require(token.Index == next && next < expected.Length, $"token {token.Index} came instead of {next}");
                Interleaver.Require((token.TokenId, token.LogitHash) == (expected[next].Token, expected[next].Hash), $"token {next} is not that of the request alone");
                ended = token.FinishReason is not null;
                Interleaver.Require(ended == (++next == expected.Length), $"token {next} of {expected.Length} {(ended ? "is" : "is not")} the last");
                if (token.Index == leaveAt) break;
                if (token.Index == cancelAt) await source.CancelAsync();
                if (token.Index == throwAt) throw new FormatException("the reader's own");
            }
            if (ended) counts.Whole++;
            else counts.Left++;
            Interleaver.Require(ended || next == leaveAt + 1, "the stream ended without a last token");
        }
        catch (FormatException)
        {
            counts.Thrown++;
        }
        catch (OperationCanceledException) when (source.IsCancellationRequested)
        {
            counts.Cancelled++;
        }
        catch (InferenceException e) when (bad && e.InnerException is InvalidOperationException)
        {
            counts.Broken++;
        }
        catch (InferenceException e) when (faulty && e.InnerException is DeviceLostException)
        {
            counts.Failed++;
        }
        Interleaver.Require(answer.FinishReason is not null || leaveAt >= 0 || throwAt >= 0, "the stream ended, and the answer has no reason");
        CheckReleased();
    }

    /// <summary>Who sees the end finds it counted: nothing of a request that has ended runs.</summary>
    private void CheckReleased()
    {
        EngineStatistics s = engine.GetStatistics();
        int running = generations.Count(g => g.FinishReason is null) + submitting;
        Interleaver.Require(disposing || !exactCount || s.Running + s.Paused <= running, $"{s.Running} requests run and {s.Paused} are paused, and {running} have not ended");
    }

    private async Task SaveAndLoadAsync(int[] prompt, GenerationOptions request)
    {
        exactCount = false;
        string file = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"inference-{Guid.NewGuid():n}.kv");
        try
        {
            SavedPrefix saved = await engine.SavePrefixAsync(file, prompt, new GenerationOptions { CacheSalt = request.CacheSalt });
            Interleaver.Require(saved.TokenIds.SequenceEqual(prompt.Take(saved.TokenIds.Count)), "another prefix was saved");
            counts.Saved++;
            SavedPrefix loaded = await engine.LoadPrefixAsync(file, "another");
            Interleaver.Require(loaded.TokenIds.SequenceEqual(prompt.Take(loaded.TokenIds.Count)), "another prefix was loaded");
            counts.Loaded++;
            if (Submit(prompt, request with { Samples = 1, CacheSalt = "another", LogitBias = null }, default) is { } answers)
                await ReadAsync(answers[0], HashModel.Alone(prompt, request with { Samples = 1 }), new CancellationTokenSource(), -1, -1, -1, bad: false);
        }
        catch (QueueFullException) when (options.MaxQueuedRequests is not null)
        {
            counts.Full++;
        }
        catch (InferenceException e) when (prompt.Length < 16 || e.Message.Contains("do not stay cached", StringComparison.Ordinal) || faulty && e.InnerException is DeviceLostException)
        {
            // Too short, too little memory, or the fault: the call's own affair.
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>Everybody runs free now: what was left is cancelled, every block comes back, and as many requests are taken as may wait.</summary>
    private async Task CheckEndAsync()
    {
        if (disposing) return;
        for (int i = 0; i < 2000 && engine.GetStatistics() is { } s && s.Running + s.Waiting + s.Paused > 0; i++) await Task.Delay(1);
        KvStatistics blocks = await engine.VerifyAsync();
        Interleaver.Require((blocks.Total, blocks.Used) == (options.KvBlocks, 0), $"{blocks.Used} blocks are still used");
        fault.Disarm();
        var request = new GenerationOptions { MaxTokens = 3, IgnoreEos = true, LogitHash = true, Seed = 1 };
        List<Generation> more = [.. Enumerable.Range(0, options.MaxQueuedRequests ?? 2).Select(i => engine.GenerateAsync([1, 2, i], request))];
        for (int i = 0; i < more.Count; i++)
        {
            List<GeneratedToken> tokens = await TestEngine.CollectAsync(more[i]);
            Interleaver.Require(tokens.Select(t => t.LogitHash!.Value).SequenceEqual(HashModel.Alone([1, 2, i], request).Select(t => t.Hash)), "the engine does not answer as before");
        }
    }

    /// <summary>Requests are numbered from 1, and the log tells of every end.</summary>
    private void CheckEndedOnce()
    {
        long[] ended = [.. log.Events.Where(e => e.MessageTemplate.Text.StartsWith("Request {Id} ended", StringComparison.Ordinal)).Select(e => (long)((Serilog.Events.ScalarValue)e.Properties["Id"]).Value!).Order()];
        Interleaver.Require(ended.SequenceEqual(Enumerable.Range(1, ended.Length).Select(i => (long)i)) && ended.Length >= generations.Count, $"seed {seed}: of {generations.Count} requests and more, these ended: {string.Join(' ', ended)}");
        foreach (Generation generation in generations) Interleaver.Require(generation.FinishReason is not null, $"seed {seed}: a request has not ended");
    }

    /// <summary>Only a full queue refuses: as many others as may wait had not ended, or came while the call ran.</summary>
    private void CheckRefusals()
    {
        foreach (Call call in calls)
        {
            if (!call.Refused || !exactCount) continue;
            int others = call.Open + calls.Where(c => c != call && c.End > call.Start && c.Start < call.End).Sum(c => c.Taken);
            Interleaver.Require(others >= options.MaxQueuedRequests, $"seed {seed}: {others} requests were there, and at most {options.MaxQueuedRequests} may wait, and one was refused");
        }
    }

    private void Count()
    {
        EngineStatistics s = engine.GetStatistics();
        counts.Schedules++;
        counts.Switches += interleaver.Switches;
        counts.Forks += s.Forks;
        counts.Preemptions += s.Preemptions;
        counts.Swaps += s.SwapPreemptions;
        counts.Cached += s.CachedTokens;
        counts.Faults += fault.Fired;
        foreach ((string place, int times) in interleaver.Places) counts.Places[place] = counts.Places.GetValueOrDefault(place) + times;
    }
}
