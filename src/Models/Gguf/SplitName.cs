using System.Globalization;
using System.Text.RegularExpressions;

namespace Inference.Models;

/// <summary>The name of a part of a split model: <c>stem-00002-of-00003.gguf</c>, counted from 1.</summary>
internal sealed partial record SplitName(string Stem, int Number, int Count)
{
    /// <summary>Five digits; more parts have no names.</summary>
    public const int MaxCount = 99999;

    /// <summary>Reads a path; null where it is not the name of a part.</summary>
    public static SplitName? Parse(string path)
    {
        Match match = Pattern().Match(path);
        if (!match.Success) return null;
        int number = int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture), count = int.Parse(match.Groups[3].ValueSpan, CultureInfo.InvariantCulture);
        return number >= 1 && number <= count ? new(match.Groups[1].Value, number, count) : null;
    }

    /// <summary>The path of another part.</summary>
    public string Part(int number) => string.Create(CultureInfo.InvariantCulture, $"{Stem}-{number:d5}-of-{Count:d5}.gguf");

    /// <summary>The file that has the metadata: the first part of a split model where it exists, else the path itself.</summary>
    public static string MetadataFile(string path) => Parse(path) is { Number: > 1 } name && File.Exists(name.Part(1)) ? name.Part(1) : path;

    [GeneratedRegex(@"^(.*)-(\d{5})-of-(\d{5})\.gguf$", RegexOptions.Singleline | RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
