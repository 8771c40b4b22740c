using System.Diagnostics;
using Inference.Kernels;
using Inference.Models.Templates;

namespace Inference.Models.Tests;

/// <summary>Damages models, opens them and runs a step of what loads. Whatever is not a typed error or a working model is a failure.</summary>
internal sealed class MutationRun : IDisposable
{
    /// <summary>What one model may take beside the bytes of its files.</summary>
    private const long MaxBytes = 64 << 20;

    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(2);

    private readonly string folder = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"inference-fuzz-{Guid.NewGuid():n}");
    private readonly SimdKernels kernels = new(SimdLevels.Best, threads: 1);
    private readonly IReadOnlyList<FuzzModel> models;
    private readonly Dictionary<string, int> errors = new(StringComparer.Ordinal);
    private string current = "";

    public MutationRun(IReadOnlyList<FuzzModel> models)
    {
        this.models = models;
        foreach (FuzzModel model in models)
        {
            Directory.CreateDirectory(FolderOf(model));
            foreach (FuzzModel.Part part in model.Files) File.WriteAllBytes(Path.Combine(FolderOf(model), part.Name), part.Bytes);
        }
    }

    public int Working { get; private set; }
    public int Refused { get; private set; }
    public TimeSpan Slowest { get; private set; }
    public string SlowestName { get; private set; } = "";
    public long LargestBytes { get; private set; }
    public string LargestName { get; private set; } = "";

    /// <summary>Kinds of typed errors and how often each came.</summary>
    public IReadOnlyDictionary<string, int> Errors => errors;

    /// <summary>Every model loads and runs as long as nothing is wrong with it.</summary>
    public void RunWhole()
    {
        foreach (FuzzModel model in models) Assert.True(Try(Path.Combine(FolderOf(model), model.Entry)), $"{model.Name} does not work");
        errors.Clear();
    }

    /// <summary>One mutation; the seed decides all of it.</summary>
    public void Run(int seed)
    {
        var random = new Random(seed);
        FuzzModel model = models[random.Next(models.Count)];
        FuzzModel.Part part = model.Files[random.Next(model.Files.Count)];
        byte[] bytes = new Mutator(random).Mutate(part.Bytes, part.Header, part.IsText);
        string path = Path.Combine(FolderOf(model), part.Name);
        current = $"seed {seed}: {model.Name}, {part.Name}";
        File.WriteAllBytes(path, bytes);
        TimeSpan time = Environment.CpuUsage.TotalTime;
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            if (Try(Path.Combine(FolderOf(model), model.Entry))) Working++;
            else Refused++;
        }
        catch (Exception error) when (error is not Xunit.Sdk.XunitException)
        {
            throw new InvalidOperationException($"{current}: {error.GetType().Name}: {error.Message}", error);
        }
        finally
        {
            File.WriteAllBytes(path, part.Bytes);
        }
        time = Environment.CpuUsage.TotalTime - time;
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        if (time > Slowest) (Slowest, SlowestName) = (time, current);
        if (allocated > LargestBytes) (LargestBytes, LargestName) = (allocated, current);
        // Processor time: a machine that is busy with other things makes nothing here hang.
        Assert.True(time <= MaxTime, $"{current} took {time.TotalSeconds:f1} s");
        Assert.True(allocated <= MaxBytes + model.Bytes + bytes.Length, $"{current} allocated {allocated:N0} bytes");
    }

    public void Dispose()
    {
        kernels.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private string FolderOf(FuzzModel model) => Path.Combine(folder, $"{models.ToList().IndexOf(model)}");

    /// <summary>Opens the model and runs all that it has. True when it works, false for a typed error anywhere in it.</summary>
    private bool Try(string path)
    {
        if (!Expect(() => ModelFile.Open(path), out ModelFile? opened)) return false;
        using ModelFile file = opened!;
        int[] ids = [0];
        // Each part for itself, so that an error of one does not spare the others.
        bool tokenizes = Expect(file.ReadTokenizer, out Tokenizer? tokenizer)
            && Expect(() => tokenizer!.Encode(" ab aab x3\n</s>ä", addSpecial: true, parseSpecial: true) is { Length: > 0 } encoded ? encoded : ids, out ids!);
        bool renders = Expect(() =>
        {
            ChatTemplate? template = file.ReadChatTemplate();
            template?.Prepare();
            return template?.Render(new[] { new ChatMessage("user", "ab") });
        }, out _);
        if (!Expect(() => LoadedModel.Load(file, kernels), out LoadedModel? loaded)) return false;
        using LoadedModel model = loaded!;
        return Expect(() => Step(model, tokenizer, ids ?? [0]), out _) && tokenizes && renders;
    }

    private string Step(LoadedModel model, Tokenizer? tokenizer, int[] ids)
    {
        ids = [.. ids.Take(24).Select(id => (uint)id < (uint)model.Spec.Vocabulary ? id : throw new InvalidOperationException($"token {id} of {model.Spec.Vocabulary}"))];
        using var sequence = new SequenceRun(model, kernels, KvType.F16, ids.Length);
        float[] logits = sequence.Append(ids);
        int best = 0;
        for (int i = 0; i < model.Spec.Vocabulary; i++)
            if (logits[logits.Length - model.Spec.Vocabulary + i] > logits[logits.Length - model.Spec.Vocabulary + best]) best = i;
        return tokenizer?.Decode([.. ids, best], skipSpecial: false) ?? "";
    }

    private bool Expect<T>(Func<T> run, out T? result)
    {
        try
        {
            result = run();
            return true;
        }
        catch (Exception error) when (error is ModelFormatException or TemplateException or PatternBudgetException)
        {
            errors[error.GetType().Name] = errors.GetValueOrDefault(error.GetType().Name) + 1;
            Assert.NotEmpty(error.Message);
            result = default;
            return false;
        }
    }
}
