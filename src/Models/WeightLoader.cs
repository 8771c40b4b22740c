using Inference.Kernels;

namespace Inference.Models;

/// <summary>Packs bound tensors into <see cref="ModelWeights"/>. Holds what is packed so far, so that a failure half-way frees it.</summary>
internal sealed class WeightLoader(TensorBinding binding, KernelSet kernels, LoadOptions options, long totalBytes, CancellationToken cancellation)
{
    private readonly List<IDisposable> owned = [];
    private long doneBytes;

    /// <summary>Loads every layer in the file's usual order, so that a cold file is read front to back.</summary>
    public static ModelWeights Load(TensorBinding binding, ModelSpec spec, KernelSet kernels, LoadOptions options, long totalBytes, CancellationToken cancellation)
    {
        var loader = new WeightLoader(binding, kernels, options, totalBytes, cancellation);
        try
        {
            return loader.LoadAll(spec);
        }
        catch
        {
            foreach (IDisposable part in loader.owned) part.Dispose();
            throw;
        }
    }

    private ModelWeights LoadAll(ModelSpec spec)
    {
        Weight embedding = Matrix(TensorNames.TokenEmbedding);
        var layers = new LayerWeights[spec.Layers];
        for (int layer = 0; layer < layers.Length; layer++) layers[layer] = Layer(layer);
        return new ModelWeights(owned)
        {
            TokenEmbedding = embedding,
            Layers = layers,
            OutputNorm = Vector(TensorNames.OutputNorm),
            Head = spec.TiedHead ? embedding : Matrix(TensorNames.Output),
        };
    }

    private LayerWeights Layer(int layer)
    {
        return new()
        {
            AttentionNorm = Vector(In(TensorNames.AttentionNorm)),
            Query = Matrix(In(TensorNames.Query)),
            Key = Matrix(In(TensorNames.Key)),
            Value = Matrix(In(TensorNames.Value)),
            QueryBias = OptionalVector(In(TensorNames.QueryBias)),
            KeyBias = OptionalVector(In(TensorNames.KeyBias)),
            ValueBias = OptionalVector(In(TensorNames.ValueBias)),
            QueryNorm = OptionalVector(In(TensorNames.QueryNorm)),
            KeyNorm = OptionalVector(In(TensorNames.KeyNorm)),
            AttentionOutput = Matrix(In(TensorNames.AttentionOutput)),
            AttentionOutputBias = OptionalVector(In(TensorNames.AttentionOutputBias)),
            FeedForwardNorm = Vector(In(TensorNames.FeedForwardNorm)),
            Gate = Matrix(In(TensorNames.Gate)),
            Up = Matrix(In(TensorNames.Up)),
            Down = Matrix(In(TensorNames.Down)),
        };

        string In(string name) => TensorNames.InLayer(layer, name);
    }

    private Weight Matrix(string name)
    {
        TensorSource source = binding.Source(name);
        return Keep(kernels.LoadWeight(source, options.Exact), source);
    }

    private ParameterVector Vector(string name) => LoadVector(binding.Source(name));

    private ParameterVector? OptionalVector(string name) => binding.TryFind(name) is { } source ? LoadVector(source) : null;

    private ParameterVector LoadVector(TensorSource source)
    {
        var values = new float[source.Columns];
        source.DecodeRow(0, values);
        return Keep(kernels.LoadVector(values), source);
    }

    private T Keep<T>(T part, in TensorSource source) where T : IDisposable
    {
        owned.Add(part);
        doneBytes += source.Bytes;
        options.Progress?.Report(new(doneBytes, totalBytes));
        cancellation.ThrowIfCancellationRequested();
        return part;
    }
}
