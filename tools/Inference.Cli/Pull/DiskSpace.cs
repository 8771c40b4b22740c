namespace Inference.Cli;

/// <summary>Says before a download of hours that it cannot fit.</summary>
internal static class DiskSpace
{
    /// <param name="folder">Need not exist yet.</param>
    /// <param name="bytes">To be written there.</param>
    /// <exception cref="IOException">There is less room.</exception>
    public static void Require(string folder, long bytes)
    {
        if (bytes > 0 && FreeBytes(folder) is { } free && free < bytes)
            throw new IOException($"{folder}: {ByteSize.Format(bytes)} are to come, and the disk has room for {ByteSize.Format(free)}; HF_HUB_CACHE may name another folder");
    }

    /// <summary>Null where the system does not tell.</summary>
    private static long? FreeBytes(string folder)
    {
        string? existing = folder;
        while (existing is not null && !Directory.Exists(existing)) existing = Path.GetDirectoryName(existing);
        try
        {
            return existing is null ? null : new DriveInfo(existing).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
