using Inference.Kernels;

namespace Inference.Models;

/// <summary>Llama 1-3 and the many models that share its block: Mistral, SmolLM, TinyLlama and others. GGUF holds their Q and K rows reordered for adjacent pairs.</summary>
internal static class Llama
{
    public static Architecture Definition { get; } = new()
    {
        Name = "llama",
        RopeStyle = RopeStyle.Interleaved,
        Numbers = DecoderBlock.Numbers,
        Tensors =
        [
            .. DecoderBlock.Tensors,
            .. DecoderBlock.QkvBiases(optional: true),
            TensorRule.LayerVector(TensorNames.AttentionOutputBias, s => s.Hidden, optional: true),
            TensorRule.Vector(TensorNames.RopeFactors, s => s.Rope.Dims / 2, optional: true),
        ],
    };
}
