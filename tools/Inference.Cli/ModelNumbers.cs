using Inference.Models;

namespace Inference.Cli;

/// <summary>A model's numbers without its weights.</summary>
internal static class ModelNumbers
{
    /// <exception cref="ModelFormatException">The file is damaged, or of a kind that this build does not run.</exception>
    public static ModelSpec Of(string path)
    {
        using ModelFile file = ModelFile.Open(path);
        return ModelPlan.Read(file);
    }
}
