using System.Text.Json;

namespace Inference.Cli;

/// <summary>What a model in safetensors needs: numbers, tokenizer, chat template and weights, of all that a repository may hold beside them.</summary>
internal static class SafetensorsChoice
{
    private const string Config = "config.json", Single = "model.safetensors", IndexName = "model.safetensors.index.json", Suffix = ".safetensors";

    private static readonly string[] Small =
    [
        Config, "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
        "vocab.json", "merges.txt", "tokenizer.model", "chat_template.jinja", "chat_template.json",
    ];

    /// <summary>The small files, and the weights: one file, or an index that names the shards.</summary>
    /// <exception cref="HubException">The repository holds no such model.</exception>
    public static FileChoice Of(PullRequest request, HubListing listing)
    {
        List<HubFile> files = [.. Small.Select(name => Find(listing, name)).OfType<HubFile>()];
        if (Find(listing, IndexName) is { } index) return new FileChoice([.. files, index], "", index);
        HubFile[] weights = Find(listing, Single) is { } single ? [single] : [.. listing.Files.Where(f => f.Path == f.Name && f.Name.EndsWith(Suffix, StringComparison.Ordinal))];
        if (weights.Length == 0 || files.All(f => f.Path != Config)) throw new HubException($"{request.Repository} holds no model: neither GGUF files nor {Config} with {Suffix} files");
        if (weights.Length > 1) throw new UsageException($"{request.Repository} has several {Suffix} files and no {IndexName}: choose with {request.Repository}:FILE from {string.Join(", ", weights.Select(f => f.Path))}");
        return new FileChoice([.. files, weights[0]], "");
    }

    /// <summary>The shards that an index names.</summary>
    /// <param name="request">For messages.</param>
    /// <param name="listing">Where they must be.</param>
    /// <param name="indexPath">The downloaded index.</param>
    /// <exception cref="HubException">Not an index, or one that names other files.</exception>
    public static List<HubFile> Shards(PullRequest request, HubListing listing, string indexPath)
    {
        try
        {
            using FileStream content = File.OpenRead(indexPath);
            using JsonDocument index = JsonDocument.Parse(content);
            IEnumerable<string?> names = index.RootElement.GetProperty("weight_map").EnumerateObject().Select(entry => entry.Value.GetString()).Distinct();
            return [.. names.Order(StringComparer.Ordinal).Select(name => listing.Files.FirstOrDefault(f => f.Path == name) ?? throw new HubException($"{request.Repository}: {IndexName} names '{name}', which the repository does not have"))];
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new HubException($"{request.Repository}: {IndexName} is no index: it must hold an object 'weight_map' of file names", e);
        }
    }

    private static HubFile? Find(HubListing listing, string path) => listing.Files.FirstOrDefault(f => f.Path == path);
}
