namespace Inference.Cli;

/// <summary>What of a repository to download, and which path to print for it.</summary>
/// <param name="Files">In order of download.</param>
/// <param name="Path">Relative to the snapshot; empty for the snapshot itself.</param>
/// <param name="Index">One of the files, which names further ones once it is there; null: that is all.</param>
internal sealed record FileChoice(IReadOnlyList<HubFile> Files, string Path, HubFile? Index = null)
{
    /// <summary>Small enough for most machines and near the unquantised model.</summary>
    private static readonly string[] Preferred = ["Q4_K_M", "Q8_0"];

    /// <exception cref="UsageException">Several are meant, or none; the message lists the choices.</exception>
    /// <exception cref="HubException">The repository has no model.</exception>
    public static FileChoice Of(PullRequest request, HubListing listing)
    {
        List<GgufModel> models = GgufModel.In(listing);
        if (request.Wanted is { } wanted) return OfName(request, listing, models, wanted);
        if (models.Count == 0) return SafetensorsChoice.Of(request, listing);
        foreach (string quant in Preferred)
        {
            if (WithQuant(models, quant, dynamicToo: false) is { Count: > 0 } found) return Only(request, found, $"has several {quant} files");
        }
        return Only(request, models, $"has several GGUF files, none of them {string.Join(" or ", Preferred)}");
    }

    private static FileChoice OfName(PullRequest request, HubListing listing, List<GgufModel> models, string wanted)
    {
        List<HubFile> files = [.. listing.Files.Where(f => f.Path == wanted)];
        if (files.Count == 0) files = [.. listing.Files.Where(f => f.Name == wanted)];
        if (files.Count > 1) throw new UsageException($"{request.Repository} has several files '{wanted}': {string.Join(", ", files.Select(f => f.Path))}");
        // One part of a split model is of no use alone.
        if (files.Count == 1) return models.Find(m => m.Files.Contains(files[0])) is { } model ? Only(request, [model], "") : new FileChoice(files, files[0].Path);
        if (WithQuant(models, wanted, dynamicToo: true) is { Count: > 0 } found) return Only(request, found, $"has several {wanted} files");
        throw new UsageException($"{request.Repository} has no file and no quantisation '{wanted}': " + (models.Count == 0 ? "it has no GGUF files" : $"choose from {Names(models)}"));
    }

    private static List<GgufModel> WithQuant(List<GgufModel> models, string quant, bool dynamicToo)
    {
        List<GgufModel> found = models.FindAll(m => QuantName.Same(m.Quant, quant));
        return found.Count == 0 && dynamicToo ? models.FindAll(m => QuantName.SameButDynamic(m.Quant, quant)) : found;
    }

    private static FileChoice Only(PullRequest request, List<GgufModel> models, string problem)
    {
        if (models.Count > 1) throw new UsageException($"{request.Repository} {problem}: choose with {request.Repository}:NAME from {Names(models)}");
        if (!models[0].IsWhole) throw new HubException($"{request.Repository}: parts of {models[0].Path} are missing in the repository");
        return new FileChoice(models[0].Files, models[0].Path);
    }

    /// <summary>Quantisations, or paths where those do not tell the models apart.</summary>
    private static string Names(List<GgufModel> models) =>
        string.Join(", ", models.Select(m => m.Quant is null || models.Count(other => other.Quant == m.Quant) > 1 ? m.Path : m.Quant));
}
