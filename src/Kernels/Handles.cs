namespace Inference.Kernels;

/// <summary>A weight matrix packed by one kernel set: y = W x with W of [<see cref="Rows"/>][<see cref="Columns"/>].</summary>
internal abstract class Weight(string name, TensorType type, int rows, int columns) : IDisposable
{
    /// <summary>Tensor name, for messages.</summary>
    public string Name { get; } = name;

    /// <summary>Format the packed values are held in (F32 after an exact load).</summary>
    public TensorType Type { get; } = type;

    /// <summary>Output features.</summary>
    public int Rows { get; } = rows;

    /// <summary>Input features.</summary>
    public int Columns { get; } = columns;

    /// <summary>Bytes the packed form takes; what a GEMV has to read.</summary>
    public abstract long PackedBytes { get; }

    public abstract void Dispose();
}

/// <summary>A float32 parameter vector on the device: a norm's gain or a bias.</summary>
internal abstract class ParameterVector(int length) : IDisposable
{
    public int Length { get; } = length;
    public abstract void Dispose();
}

/// <summary>Float32 rows on the device, [<see cref="Rows"/>][<see cref="Columns"/>], contiguous; <see cref="Rows"/> is a capacity, a step uses the first so many.</summary>
internal abstract class Activations(int rows, int columns) : IDisposable
{
    public int Rows { get; } = rows;
    public int Columns { get; } = columns;
    public abstract void Dispose();
}

/// <summary>The paged KV memory of one cache group: <see cref="Blocks"/> blocks of <see cref="Layout"/>.</summary>
internal abstract class KvPages(KvLayout layout, int blocks) : IDisposable
{
    public KvLayout Layout { get; } = layout;
    public int Blocks { get; } = blocks;

    /// <summary>Bytes of a block of all layers, as it is read and written.</summary>
    public abstract long BytesPerBlock { get; }

    /// <summary>Sets every element of every page to NaN, so that a test notices any read of unwritten memory.</summary>
    public abstract void FillWithNaN();

    public abstract void Dispose();
}

/// <summary>One product of a fused set: y = W x + bias.</summary>
internal readonly record struct Projection(Weight Weight, ParameterVector? Bias, Activations Output);

/// <summary>How rotary embedding pairs the dims of a head. (RoFormer, arXiv 2104.09864)</summary>
internal enum RopeStyle
{
    /// <summary>Dims 2i and 2i + 1 turn together, as in the paper and in GGUF files of the Llama family.</summary>
    Interleaved,

    /// <summary>Dims i and i + dims / 2 turn together (rotate-half, GPT-NeoX), as in Qwen.</summary>
    Half,
}

/// <summary>Shape of a layer's attention, and the scale of its scores.</summary>
/// <param name="Heads">Query heads, a multiple of <paramref name="KvHeads"/>.</param>
/// <param name="KvHeads">KV heads.</param>
/// <param name="KeyDim">Elements of a query or key head.</param>
/// <param name="ValueDim">Elements of a value head.</param>
/// <param name="RopeDims">Leading dims of a head that are rotated, even.</param>
/// <param name="RopeStyle">Pairing of the rotated dims.</param>
/// <param name="Scale">Factor of q.k before the softmax, usually 1 / sqrt(KeyDim).</param>
internal sealed record AttentionShape(int Heads, int KvHeads, int KeyDim, int ValueDim, int RopeDims, RopeStyle RopeStyle, float Scale);
