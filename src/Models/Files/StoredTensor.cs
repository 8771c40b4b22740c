using Inference.Kernels;

namespace Inference.Models;

/// <summary>One tensor of a model file, whatever the file's format.</summary>
/// <param name="Name">Canonical name, which is GGUF's; a name that is not in the canonical set is the file's own.</param>
/// <param name="TypeNumber">ggml's number of the type, perhaps one that this build does not read; <see cref="uint.MaxValue"/> where ggml has none.</param>
/// <param name="Dims">Extents, innermost first, all at least 1: Dims[0] is the number of columns.</param>
/// <param name="Offset">Offset of the first byte in its file.</param>
/// <param name="Bytes">Size; 0 when the type is unknown.</param>
internal sealed record StoredTensor(string Name, uint TypeNumber, long[] Dims, long Offset, long Bytes)
{
    /// <summary>Which file of a model in several, from 0 on.</summary>
    public int Part { get; init; }

    public TensorType Type => (TensorType)TypeNumber;

    /// <summary>The type's name, for example <c>Q4_K</c>.</summary>
    public string TypeName { get; init; } = GgmlType.Of(TypeNumber).Name;

    /// <summary>Elements in all.</summary>
    public long Elements => Dims.Aggregate(1L, (product, dim) => product * dim);

    /// <summary>Row length.</summary>
    public long Columns => Dims[0];

    /// <summary>Rows, over all outer extents.</summary>
    public long Rows => Elements / Dims[0];

    /// <summary>The shape as tables and errors show it, outermost first: <c>[rows, columns]</c>.</summary>
    public string Shape => $"[{string.Join(", ", Dims.Reverse())}]";
}
