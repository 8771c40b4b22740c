using Inference.Kernels;

namespace Inference.Models;

/// <summary>Qwen 2 and 2.5: biases on the query, key and value projections.</summary>
internal static class Qwen2
{
    public static Architecture Definition { get; } = new()
    {
        Name = "qwen2",
        RopeStyle = RopeStyle.Half,
        Numbers = DecoderBlock.Numbers,
        Tensors = [.. DecoderBlock.Tensors, .. DecoderBlock.QkvBiases(optional: false)],
    };
}
