using Inference.Kernels;

namespace Inference.Models;

/// <summary>Qwen 3 (dense): every query and key head is normalised before it is rotated; no biases.</summary>
internal static class Qwen3
{
    public static Architecture Definition { get; } = new()
    {
        Name = "qwen3",
        RopeStyle = RopeStyle.Half,
        Numbers = DecoderBlock.Numbers,
        Tensors =
        [
            .. DecoderBlock.Tensors,
            TensorRule.LayerVector(TensorNames.QueryNorm, s => s.KeyDim),
            TensorRule.LayerVector(TensorNames.KeyNorm, s => s.KeyDim),
        ],
    };
}
