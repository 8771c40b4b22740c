namespace Inference.Cli;

/// <summary>
/// The hub's cache folder, shared with other programs: <c>models--org--name/blobs/HASH</c> holds contents, <c>snapshots/COMMIT/PATH</c> links
/// to them, <c>refs/REVISION</c> names a commit, <c>.locks</c> beside it guards each blob. A name without <c>.incomplete</c> is only ever given
/// to a checked file.
/// </summary>
internal sealed class HubCache(string root, string repository, bool? symbolicLinks = null)
{
    private readonly string folder = Path.Combine(root, FolderName(repository));

    public string Root { get; } = root;

    public static string FolderName(string repository) => "models--" + repository.Replace("/", "--", StringComparison.Ordinal);

    public string SnapshotPath(string commit) => Path.Combine(folder, "snapshots", commit);

    /// <summary>Where a file is found under its own name.</summary>
    public string PathOf(string commit, HubFile file) => Path.Combine([SnapshotPath(commit), .. file.Path.Split('/')]);

    public string BlobPath(HubFile file) => Path.Combine(folder, "blobs", file.Id);

    public string IncompletePath(HubFile file) => BlobPath(file) + ".incomplete";

    public string LockPath(HubFile file) => Path.Combine(Root, ".locks", FolderName(repository), file.Id + ".lock");

    public string RefPath(string revision) => Path.Combine([folder, "refs", .. revision.Split('/')]);

    /// <summary>Whether the file is there under its own name.</summary>
    public bool Has(string commit, HubFile file) => LengthOf(PathOf(commit, file)) == file.Size;

    /// <summary>Whether the content is there, from this commit or another.</summary>
    public bool HasBlob(HubFile file) => LengthOf(BlobPath(file)) == file.Size;

    /// <summary>Bytes that are still to come.</summary>
    public long Missing(string commit, HubFile file) => Has(commit, file) || HasBlob(file) ? 0 : file.Size - Math.Clamp(LengthOf(IncompletePath(file)), 0, file.Size);

    /// <summary>Links a complete blob into the snapshot. Where there are no links, the blob moves there if it is new, and is copied if others may point to it.</summary>
    public void Link(string commit, HubFile file, bool isNew)
    {
        string path = PathOf(commit, file), blob = BlobPath(file), snapshot = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(snapshot);
        // What is there is broken, else nobody would link.
        File.Delete(path);
        if (symbolicLinks != false && TryLink(path, Path.GetRelativePath(snapshot, blob))) return;
        if (isNew)
        {
            File.Move(blob, path, overwrite: true);
            return;
        }
        string copy = path + ".incomplete";
        File.Copy(blob, copy, overwrite: true);
        File.Move(copy, path, overwrite: true);
    }

    private bool TryLink(string path, string target)
    {
        try
        {
            File.CreateSymbolicLink(path, target);
            return true;
        }
        catch (Exception e) when (symbolicLinks is null && e is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            // Another process may have been faster: the same name at the same commit is the same file.
            return File.Exists(path);
        }
    }

    /// <summary>Notes which commit a branch or tag was, for programs that run without the network.</summary>
    public void WriteRef(string revision, string commit)
    {
        if (revision == commit) return;
        string path = RefPath(revision);
        try
        {
            if (File.Exists(path) && File.ReadAllText(path) == commit) return;
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            string temporary = $"{path}.{Environment.ProcessId}.incomplete";
            File.WriteAllText(temporary, commit);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A cache that is complete but read-only serves this pull all the same.
        }
    }

    /// <summary>Length behind links, or -1.</summary>
    private static long LengthOf(string path)
    {
        try
        {
            // Not opened: on Unix that would lock the file for a moment, in the way of a process that writes it.
            return File.Exists(path) ? new FileInfo(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path).Length : -1;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return -1;
        }
    }
}
