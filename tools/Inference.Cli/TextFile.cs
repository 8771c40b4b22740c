namespace Inference.Cli;

/// <summary>Text files that a command reads whole.</summary>
internal static class TextFile
{
    /// <summary>The text as it stands, UTF-8 unless a byte order mark says otherwise.</summary>
    /// <exception cref="IOException">No such file, a folder, or one that cannot be read.</exception>
    public static async Task<string> ReadAsync(string path, CancellationToken cancellation)
    {
        if (Directory.Exists(path)) throw new IOException($"{path}: is a folder; a text file is expected");
        try
        {
            return await File.ReadAllTextAsync(path, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FileNotFoundException($"{path}: no such file", path);
        }
    }
}
