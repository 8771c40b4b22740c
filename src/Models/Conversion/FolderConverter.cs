using System.Globalization;
using Inference.Kernels;

namespace Inference.Models;

/// <summary>Writes a Hugging Face folder as a GGUF file.</summary>
internal static class FolderConverter
{
    /// <summary>Converts a folder; arguments, progress and errors as with <see cref="ModelQuantizer.Quantize"/>.</summary>
    public static QuantizationResult Convert(HuggingFaceFolder folder, string path, QuantizationOptions options, Action<long, long>? progress = null, CancellationToken cancellation = default)
    {
        // What would be wrong with the file is said here, in the words of the folder.
        _ = ModelPlan.Read(folder);
        // Readers take norms and biases in F32 only, whatever the folder has.
        return ModelQuantizer.Write(folder, InOrder(folder), FolderMetadata.Of(folder), path, options with { VectorType = TensorType.F32 }, progress, cancellation);
    }

    /// <summary>The mix that keeps most weights of a folder as they are.</summary>
    public static QuantizationMix MixOf(HuggingFaceFolder folder) =>
        QuantizationMix.Find(folder.Tensors.GroupBy(tensor => tensor.TypeName).MaxBy(group => group.Sum(tensor => tensor.Elements))?.Key ?? "F16") ?? QuantizationMix.Find("F16")!;

    /// <summary>Embedding, layers by number, output; within a layer in the order of the computation. Safetensors files sort by spelling: layer 10 before layer 2.</summary>
    private static List<StoredTensor> InOrder(HuggingFaceFolder folder)
    {
        Architecture architecture = Architecture.Of(folder);
        string[] names = [.. architecture.Tensors.Select(rule => rule.Name)];
        return [.. folder.Tensors.Select(tensor => (Tensor: tensor, Place: Place(tensor.Name))).OrderBy(t => t.Place.Layer).ThenBy(t => t.Place.Rule).Select(t => t.Tensor)];

        (int Layer, int Rule) Place(string name)
        {
            string[] parts = name.Split('.', 3);
            if (parts is ["blk", var number, var rest]) return (int.Parse(number, NumberStyles.None, CultureInfo.InvariantCulture), Array.IndexOf(names, rest));
            return name is TensorNames.TokenEmbedding or TensorNames.RopeFactors ? (-1, Array.IndexOf(names, name)) : (int.MaxValue, Array.IndexOf(names, name));
        }
    }
}
