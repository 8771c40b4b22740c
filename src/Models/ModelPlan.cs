using Inference.Kernels;

namespace Inference.Models;

/// <summary>Everything about a model file that can be wrong, read and checked before the first weight is packed.</summary>
internal static class ModelPlan
{
    /// <summary>The model's numbers and switches.</summary>
    /// <exception cref="ModelFormatException">The file is no model that this build runs.</exception>
    public static ModelSpec Read(ModelFile file)
    {
        Architecture architecture = Architecture.Of(file);
        ModelSpec spec = ModelSpecReader.Read(file, architecture);
        TensorBinding.Check(file, architecture, spec);
        if (file.FindTensor(TensorNames.RopeFactors) is { } tensor) spec = spec with { Rope = spec.Rope with { FrequencyFactors = ReadFactors(file, file.Source(tensor)) } };
        return spec;
    }

    private static float[] ReadFactors(ModelFile file, TensorSource source)
    {
        var factors = new float[source.Columns];
        source.DecodeRow(0, factors);
        foreach (float factor in factors)
            if (!float.IsFinite(factor) || factor <= 0) throw new ModelFormatException(file.Path, $"tensor {file.OwnName(source.Name)}", "finite factors above 0", $"{factor}");
        return factors;
    }
}
