using Inference.Kernels;

namespace Inference.Models;

/// <summary>Packs bound tensors into <see cref="ModelWeights"/>. Holds what is packed so far, so that a failure half-way frees it.</summary>
internal sealed class WeightLoader
{
    private readonly ModelFile file;
    private readonly KernelSet kernels;
    private readonly LoadOptions options;
    private readonly CancellationToken cancellation;
    private readonly long totalBytes;
    private readonly List<IDisposable> owned = [];
    private long doneBytes;

    private WeightLoader(ModelFile file, KernelSet kernels, LoadOptions options, CancellationToken cancellation)
    {
        this.file = file;
        this.kernels = kernels;
        this.options = options;
        this.cancellation = cancellation;
        totalBytes = file.Tensors.Where(t => t.Name != TensorNames.RopeFactors).Sum(t => t.Bytes);
    }

    /// <summary>Loads what <see cref="TensorBinding.Check"/> found to be there.</summary>
    public static ModelWeights Load(ModelFile file, ModelSpec spec, KernelSet kernels, LoadOptions options, CancellationToken cancellation)
    {
        var loader = new WeightLoader(file, kernels, options, cancellation);
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

    private Weight Matrix(string name) => Load(Find(name), source => kernels.LoadWeight(source, options.Exact));

    private ParameterVector Vector(string name) => LoadVector(Find(name));

    private ParameterVector? OptionalVector(string name) => file.FindTensor(name) is { } tensor ? LoadVector(tensor) : null;

    private StoredTensor Find(string name) => file.FindTensor(name) ?? throw new ModelFormatException(file.Path, $"tensor {file.OwnName(name)}", "a tensor of that name", "none");

    private ParameterVector LoadVector(StoredTensor tensor) => Load(tensor, source =>
    {
        var values = new float[source.Columns];
        source.DecodeRow(0, values);
        return kernels.LoadVector(values);
    });

    private T Load<T>(StoredTensor tensor, Func<TensorSource, T> load) where T : IDisposable
    {
        cancellation.ThrowIfCancellationRequested();
        T part = load(file.Source(tensor));
        owned.Add(part);
        file.Forget(tensor);
        doneBytes += tensor.Bytes;
        options.Progress?.Report(new(doneBytes, totalBytes));
        return part;
    }
}
