using Inference.Kernels;

namespace Inference.Models;

/// <summary>One entry of the tensor directory.</summary>
/// <param name="Name">Tensor name.</param>
/// <param name="TypeNumber">ggml's number of the type, perhaps one that this build does not read.</param>
/// <param name="Dims">1 to 4 extents, innermost first: Dims[0] is the number of columns.</param>
/// <param name="Offset">File offset of the first byte.</param>
/// <param name="Bytes">Size; 0 when the type is unknown.</param>
internal sealed record GgufTensor(string Name, uint TypeNumber, long[] Dims, long Offset, long Bytes)
{
    public TensorType Type => (TensorType)TypeNumber;

    /// <summary>The type's name, for example <c>Q4_K</c>.</summary>
    public string TypeName => GgmlType.Of(TypeNumber).Name;

    /// <summary>Elements in all.</summary>
    public long Elements => Dims.Aggregate(1L, (product, dim) => product * dim);

    /// <summary>Row length.</summary>
    public long Columns => Dims[0];

    /// <summary>Rows, over all outer extents.</summary>
    public long Rows => Elements / Dims[0];

    /// <summary>The shape as tables and errors show it, outermost first: <c>[rows, columns]</c>.</summary>
    public string Shape => $"[{string.Join(", ", Dims.Reverse())}]";
}
