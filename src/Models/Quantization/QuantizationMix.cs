using Inference.Kernels;

namespace Inference.Models;

/// <summary>A recipe by the name that users know: the type of most tensors, and which get another.</summary>
/// <param name="Name">For example <c>Q4_K_M</c>.</param>
/// <param name="Type">Type of most tensors.</param>
/// <param name="FileType">The number that <c>general.file_type</c> keeps (llama.h, enum llama_ftype).</param>
internal sealed record QuantizationMix(string Name, TensorType Type, int FileType)
{
    /// <summary>Every mix that this build makes, from large to small.</summary>
    public static IReadOnlyList<QuantizationMix> All { get; } =
    [
        new("F32", TensorType.F32, 0),
        new("F16", TensorType.F16, 1),
        new("BF16", TensorType.BF16, 32),
        new("Q8_0", TensorType.Q8_0, 7),
        new("Q6_K", TensorType.Q6_K, 18),
        new("Q5_1", TensorType.Q5_1, 9),
        new("Q5_K_M", TensorType.Q5_K, 17),
        new("Q5_K_S", TensorType.Q5_K, 16),
        new("Q5_0", TensorType.Q5_0, 8),
        new("Q4_1", TensorType.Q4_1, 3),
        new("Q4_K_M", TensorType.Q4_K, 15),
        new("Q4_K_S", TensorType.Q4_K, 14),
        new("Q4_0", TensorType.Q4_0, 2),
        new("IQ4_NL", TensorType.IQ4_NL, 25),
        new("IQ4_XS", TensorType.IQ4_XS, 30),
        new("Q3_K_L", TensorType.Q3_K, 13),
        new("Q3_K_M", TensorType.Q3_K, 12),
        new("Q3_K_S", TensorType.Q3_K, 11),
        new("Q2_K", TensorType.Q2_K, 10),
        new("Q2_K_S", TensorType.Q2_K, 21),
    ];

    /// <summary>Short names stand for the middle mix.</summary>
    private static readonly Dictionary<string, string> Aliases = new(StringComparer.OrdinalIgnoreCase) { ["Q3_K"] = "Q3_K_M", ["Q4_K"] = "Q4_K_M", ["Q5_K"] = "Q5_K_M", ["FP16"] = "F16", ["FP32"] = "F32" };

    /// <summary>Whether it only changes the precision of floating-point numbers.</summary>
    public bool IsFloat => Type is TensorType.F32 or TensorType.F16 or TensorType.BF16;

    /// <summary>The mix of that name in any case, or null.</summary>
    public static QuantizationMix? Find(string name) => All.FirstOrDefault(mix => mix.Name.Equals(Aliases.GetValueOrDefault(name, name), StringComparison.OrdinalIgnoreCase));
}
