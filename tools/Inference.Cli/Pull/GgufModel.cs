using System.Text.RegularExpressions;

namespace Inference.Cli;

/// <summary>A model in GGUF: one file, or the parts of a split one in order.</summary>
internal sealed partial record GgufModel(string Path, string? Quant, IReadOnlyList<HubFile> Files)
{
    /// <summary>The models of a repository in its order; neither vision projectors nor importance matrices, which do not run by themselves.</summary>
    public static List<GgufModel> In(HubListing listing) =>
    [
        .. from file in listing.Files
           where file.Path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) && !Companion().IsMatch(file.Name)
           group file by PartNumber().Replace(file.Path, "") into parts
           let ordered = parts.OrderBy(f => f.Path, StringComparer.Ordinal).ToArray()
           select new GgufModel(ordered[0].Path, QuantName.Of(parts.Key), ordered),
    ];

    /// <summary>Whether all parts are there that the names speak of.</summary>
    public bool IsWhole => PartNumber().Match(Files[0].Path) is not { Success: true } part || (int.TryParse(part.Groups[1].Value, out int count) && count == Files.Count);

    [GeneratedRegex(@"(^|[-_.])(mmproj|imatrix)([-_.]|$)", RegexOptions.IgnoreCase)]
    private static partial Regex Companion();

    /// <summary><c>-00001-of-00003</c></summary>
    [GeneratedRegex(@"-\d{5}-of-(\d{5})(?=\.gguf$)", RegexOptions.IgnoreCase)]
    private static partial Regex PartNumber();
}
