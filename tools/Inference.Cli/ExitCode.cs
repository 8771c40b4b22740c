namespace Inference.Cli;

/// <summary>What the program returns to the shell.</summary>
internal static class ExitCode
{
    public const int Done = 0;

    /// <summary>A file, a device or the engine failed, or a check found a mismatch.</summary>
    public const int Failed = 1;

    /// <summary>The command line cannot be carried out as written.</summary>
    public const int Usage = 2;

    /// <summary>128 + SIGINT, as shells report it.</summary>
    public const int Cancelled = 130;

    /// <summary>128 + SIGTERM.</summary>
    public const int Terminated = 143;
}
