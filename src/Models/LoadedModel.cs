using Inference.Kernels;

namespace Inference.Models;

/// <summary>How to load a model.</summary>
/// <param name="Exact">Weights are expanded to F32 and multiply F32 activations: the yardstick for every format, four to eight times the memory.</param>
/// <param name="Progress">Hears after every tensor how far loading is.</param>
internal sealed record LoadOptions(bool Exact = false, IProgress<LoadProgress>? Progress = null);

/// <summary>Bytes of the file's tensors that are packed, and all of them.</summary>
internal readonly record struct LoadProgress(long Bytes, long TotalBytes);

/// <summary>A model in memory: numbers, weights, and the facts about it that the engine reports. The file is closed again.</summary>
internal sealed class LoadedModel : IDisposable
{
    private LoadedModel(ModelFile file, ModelSpec spec, ModelWeights weights)
    {
        Spec = spec;
        Weights = weights;
        Name = file.TryGetString("general.name", out string? name) && name.Length > 0 ? name : file.FallbackName;
        ParameterCount = file.Tensors.Sum(t => t.Elements);
        MatrixBytes = file.Tensors.Where(t => t.Dims.Length > 1).Sum(t => t.Bytes);
        BytesByType = file.Tensors.GroupBy(t => t.TypeName).ToDictionary(g => g.Key, g => g.Sum(t => t.Bytes));
    }

    public ModelSpec Spec { get; }

    public ModelWeights Weights { get; }

    /// <summary><c>general.name</c>, or the file's name.</summary>
    public string Name { get; }

    /// <summary>Elements of all tensors.</summary>
    public long ParameterCount { get; }

    /// <summary>Bytes of all matrices in the file; beside <see cref="ModelWeights.PackedBytes"/> they show that no type is expanded.</summary>
    public long MatrixBytes { get; }

    /// <summary>Bytes in the file by tensor type.</summary>
    public IReadOnlyDictionary<string, long> BytesByType { get; }

    /// <summary>Opens a model file or folder, packs its weights for a device and closes it.</summary>
    /// <exception cref="ModelFormatException">The file is damaged, or no model this build runs.</exception>
    /// <exception cref="IOException">The file is absent or cannot be read.</exception>
    /// <exception cref="OperationCanceledException">Cancelled between two tensors; nothing is kept.</exception>
    public static LoadedModel Load(string path, KernelSet kernels, LoadOptions? options = null, CancellationToken cancellation = default)
    {
        using ModelFile file = ModelFile.Open(path);
        return Load(file, kernels, options, cancellation);
    }

    /// <summary>Packs the weights of an open file, which the caller may close afterwards.</summary>
    public static LoadedModel Load(ModelFile file, KernelSet kernels, LoadOptions? options = null, CancellationToken cancellation = default)
    {
        ModelSpec spec = ModelPlan.Read(file);
        ModelWeights weights = WeightLoader.Load(file, spec, kernels, options ?? new(), cancellation);
        try
        {
            return new LoadedModel(file, spec, weights);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    public void Dispose() => Weights.Dispose();
}
