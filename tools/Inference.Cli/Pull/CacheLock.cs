namespace Inference.Cli;

/// <summary>
/// Holds a blob's lock file, so that one process at a time downloads it. A file opened for oneself alone is flock(2) on Unix, the same lock that
/// other programs take on this file. It is never deleted: a waiting process would hold a lock that nobody else sees.
/// </summary>
internal static class CacheLock
{
    private const int WindowsSharingViolation = unchecked((int)0x80070020), WindowsLockViolation = unchecked((int)0x80070021), LinuxTryAgain = 11, AppleTryAgain = 35;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    /// <summary>Waits until the lock is free. Disposing releases it, and so does the end of the process.</summary>
    public static async Task<IDisposable> TakeAsync(string path, Action<string>? report, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        bool waited = false;
        while (true)
        {
            try
            {
                var held = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1);
                if (waited) report?.Invoke("");
                return held;
            }
            catch (IOException e) when (e.HResult is WindowsSharingViolation or WindowsLockViolation or LinuxTryAgain or AppleTryAgain)
            {
                if (!waited) report?.Invoke("waiting for another process that downloads the same file");
                waited = true;
                await Task.Delay(Interval, cancellation).ConfigureAwait(false);
            }
        }
    }
}
