using System.Text.Json;

namespace Inference.Cli;

/// <summary>Reads the hub's two lists of files: <c>revision</c> (one object with the commit and <c>siblings</c>) and <c>tree</c> (an array of entries).</summary>
internal static class HubListingReader
{
    private const int CommitDigits = 40;

    /// <summary>16 TiB: sums of as many sizes as a list has room for stay within 64 bits.</summary>
    private const long MaxSize = 1L << 44;

    /// <summary>The commit, and the files; null where this hub's list has no sizes or hashes.</summary>
    /// <exception cref="HubException">Not such a list.</exception>
    public static (string Commit, List<HubFile>? Files) ReadRevision(string repository, JsonElement root)
    {
        if (Text(root, "sha") is not { Length: CommitDigits } commit || !HubFile.IsId(commit)) throw new HubException($"{repository}: the hub's answer names no commit in 'sha'");
        if (!root.TryGetProperty("siblings", out JsonElement siblings) || siblings.ValueKind != JsonValueKind.Array) throw new HubException($"{repository}: the hub's answer has no list 'siblings'");
        List<HubFile> files = [];
        foreach (JsonElement entry in siblings.EnumerateArray())
        {
            if (Text(entry, "rfilename") is not { } path) return (commit, null);
            if (!HubFile.IsSafe(path)) continue;
            if (FileOf(path, entry, "blobId") is not { } file) return (commit, null);
            files.Add(file);
        }
        return (commit, files);
    }

    /// <summary>Adds the files of one page.</summary>
    /// <exception cref="HubException">Not such a list, or a file without size or hash: a download of it could not be checked.</exception>
    public static void ReadTree(string repository, JsonElement root, List<HubFile> files)
    {
        if (root.ValueKind != JsonValueKind.Array) throw new HubException($"{repository}: the hub's answer is no list of files");
        foreach (JsonElement entry in root.EnumerateArray())
        {
            if (Text(entry, "type") != "file" || Text(entry, "path") is not { } path || !HubFile.IsSafe(path)) continue;
            files.Add(FileOf(path, entry, "oid") ?? throw new HubException($"{repository}: the hub gives no size and hash for {path}, so a download could not be checked"));
        }
    }

    private static HubFile? FileOf(string path, JsonElement entry, string idName)
    {
        // Of a large file the entry itself describes the small text that stands for it in git.
        if (entry.TryGetProperty("lfs", out JsonElement large) && large.ValueKind == JsonValueKind.Object)
            return Make(path, large, Text(large, "sha256") ?? Text(large, "oid"));
        return Make(path, entry, Text(entry, idName));
    }

    private static HubFile? Make(string path, JsonElement sized, string? id)
    {
        if (id is null || !HubFile.IsId(id)) return null;
        return sized.TryGetProperty("size", out JsonElement size) && size.ValueKind == JsonValueKind.Number && size.TryGetInt64(out long bytes) && bytes is >= 0 and <= MaxSize ? new HubFile(path, bytes, id) : null;
    }

    private static string? Text(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out JsonElement found) && found.ValueKind == JsonValueKind.String ? found.GetString() : null;
}
