using System.Text.RegularExpressions;

namespace Inference.Cli;

/// <summary>What <c>pull</c> was asked for: <c>REPO</c>, <c>REPO:FILE</c> or <c>REPO:QUANT</c>, at a revision.</summary>
/// <param name="Repository"><c>organisation/name</c>, or the bare name of an old repository.</param>
/// <param name="Wanted">A file's path in the repository or a quantisation's name, not yet told apart; null: the default choice.</param>
/// <param name="Revision">Branch, tag, <c>refs/pr/N</c> or commit.</param>
internal sealed partial record PullRequest(string Repository, string? Wanted, string Revision)
{
    public const string DefaultRevision = "main";

    /// <exception cref="UsageException">Not a repository's name, or not a revision.</exception>
    public static PullRequest Parse(string text, string? revision)
    {
        string rest = WebAddress().Replace(text, "");
        int colon = rest.IndexOf(':');
        string repository = colon < 0 ? rest : rest[..colon];
        string? wanted = colon < 0 ? null : rest[(colon + 1)..];
        // "--" separates the parts of the cache folder's name, so the hub forbids it, and ".." would lead out of the folder.
        if (!RepositoryName().IsMatch(repository) || repository.Contains("--", StringComparison.Ordinal) || repository.Contains("..", StringComparison.Ordinal))
            throw new UsageException($"REPO must be organisation/name, with :FILE or :QUANT behind it or not, not '{text}'");
        if (wanted is "") throw new UsageException($"'{text}' names no file and no quantisation behind the colon");
        if (revision is not null && (!RevisionName().IsMatch(revision) || revision.Split('/').Any(part => part is "" or "." or "..")))
            throw new UsageException($"--revision must be a branch, a tag or a commit, not '{revision}'");
        return new PullRequest(repository, wanted, revision ?? DefaultRevision);
    }

    /// <summary>What a browser's address bar holds in front of the name.</summary>
    [GeneratedRegex(@"^(https?://)?(www\.)?(huggingface\.co|hf\.co)/", RegexOptions.IgnoreCase)]
    private static partial Regex WebAddress();

    [GeneratedRegex(@"\A[A-Za-z0-9]([A-Za-z0-9._-]{0,95})(/[A-Za-z0-9_]([A-Za-z0-9._-]{0,95}))?\z")]
    private static partial Regex RepositoryName();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._/+-]{0,254}\z")]
    private static partial Regex RevisionName();
}
