namespace Inference.Tests.Shared;

/// <summary>Finds the golden data beside the project. Where it is absent, the test is a visible skip.</summary>
internal static class SharedData
{
    /// <summary>Reason of the skip; <c>.ci/run</c> knows it.</summary>
    public const string Absent = "../shared is not present";

    /// <summary>The folder, or null.</summary>
    public static string? Folder { get; } = Find();

    /// <summary>Path below the folder; skips the test where the folder is absent.</summary>
    public static string Require(params string[] parts)
    {
        Assert.SkipUnless(Folder is not null, Absent);
        return Path.Combine([Folder!, .. parts]);
    }

    /// <summary>The repository's root.</summary>
    public static string Root { get; } = FindRoot();

    private static string FindRoot()
    {
        for (DirectoryInfo? d = new(AppContext.BaseDirectory); d is not null; d = d.Parent)
            if (File.Exists(Path.Combine(d.FullName, "Inference.sln"))) return d.FullName;
        throw new DirectoryNotFoundException("Inference.sln not found above " + AppContext.BaseDirectory);
    }

    private static string? Find()
    {
        // INFERENCE_SHARED serves worktrees that do not stand beside the folder.
        string path = Environment.GetEnvironmentVariable("INFERENCE_SHARED") ?? Path.Combine(FindRoot(), "..", "shared");
        return Directory.Exists(Path.Combine(path, "conformance")) ? Path.GetFullPath(path) : null;
    }
}
