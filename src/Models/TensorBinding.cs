using Inference.Kernels;

namespace Inference.Models;

/// <summary>Matches a file's tensors with an architecture's list. Everything that does not fit is reported in one error, so that one attempt shows it all.</summary>
internal static class TensorBinding
{
    /// <summary>Problems of one kind that an error spells out; a wrong layer count would list thousands.</summary>
    private const int MaxListed = 12;

    /// <exception cref="ModelFormatException">Tensors are missing, misshapen, of a type this build does not read, or unknown to the architecture.</exception>
    public static void Check(ModelFile file, Architecture architecture, ModelSpec spec)
    {
        List<string> missing = [], misshapen = [], unreadable = [];
        HashSet<string> known = [];
        foreach (TensorRule rule in architecture.Tensors)
        {
            for (int layer = 0; layer < (rule.PerLayer ? spec.Layers : 1); layer++)
            {
                string name = rule.In(layer);
                known.Add(name);
                if (file.FindTensor(name) is not { } tensor)
                {
                    if (!rule.Optional) missing.Add(file.OwnName(name));
                }
                else
                {
                    if (!rule.Fits(tensor.Dims, spec)) misshapen.Add($"{file.OwnName(name)} {tensor.Shape} instead of {rule.Shape(spec)}");
                    if (TensorFormat.Find(tensor.Type) is null) unreadable.Add($"{file.OwnName(name)} ({tensor.TypeName})");
                }
            }
        }
        List<string> unused = [.. file.Tensors.Select(t => t.Name).Where(name => !known.Contains(name)).Select(file.OwnName)];
        string[] problems = [.. Report("missing", missing), .. Report("misshapen", misshapen), .. Report("of a type this build does not read", unreadable), .. Report("unknown", unused)];
        if (problems.Length == 0) return;
        string types = unreadable.Count == 0 ? "" : $" in {string.Join(", ", file.ReadableTypes)}";
        throw new ModelFormatException(file.Path, "tensors", $"those of a {architecture.Name} model with {spec.Layers} layers{types}", string.Join("; ", problems));
    }

    private static IEnumerable<string> Report(string kind, List<string> names)
    {
        if (names.Count == 0) yield break;
        string rest = names.Count > MaxListed ? $" and {names.Count - MaxListed} more" : "";
        yield return $"{names.Count} {kind}: {string.Join(", ", names.Take(MaxListed))}{rest}";
    }
}
